package hotels;

/** Numbers that look random and are the same on every machine. */
final class Mix {
  private Mix() {}

  /** A number for a text, every bit of which hangs on every letter. */
  static long of(String text) {
    long number = text.length();
    for (int i = 0; i < text.length(); i++) {
      number = bits(number * 31 + text.charAt(i));
    }
    return number;
  }

  /** The finishing steps of SplitMix64, which spread the bits of a number. */
  private static long bits(long number) {
    number = (number ^ (number >>> 30)) * 0xBF58476D1CE4E5B9L;
    number = (number ^ (number >>> 27)) * 0x94D049BB133111EBL;
    return number ^ (number >>> 31);
  }
}
