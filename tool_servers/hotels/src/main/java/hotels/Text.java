package hotels;

import com.google.protobuf.TextFormat;

/** How texts show what they name. */
final class Text {
  private static final int LONGEST = 40;

  private Text() {}

  /** The value in quotes, cut when it is long; control characters become blanks. */
  static String quote(Object value) {
    String text = value.toString();
    int[] letters = text.codePoints().limit(LONGEST).toArray();
    String shown = new String(letters, 0, letters.length);
    String cut = shown.length() < text.length() ? "…" : "";
    return '"'
        + TextFormat.escapeDoubleQuotesAndBackslashes(shown).replaceAll("\\p{Cntrl}", " ")
        + cut
        + '"';
  }
}
