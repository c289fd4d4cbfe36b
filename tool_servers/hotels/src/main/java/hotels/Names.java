package hotels;

import java.text.Normalizer;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Function;

/** Compares names the way people mean them, and finds those that look alike. */
final class Names {
  private static final double ALIKE = 0.6;

  /** Of a name of two characters, as many have in Chinese, one may be wrong. */
  private static final double ALIKE_WHEN_SHORT = 0.5;

  private static final int SHORT = 4;

  private Names() {}

  /** The letters and digits of a name, in lower case and without accents. */
  static String normalize(String name) {
    return Normalizer.normalize(name, Normalizer.Form.NFKD)
        .toLowerCase(Locale.ROOT)
        .replaceAll("[^\\p{L}\\p{N}]", "");
  }

  /** The things of which a name looks most like the one that is asked for, the nearest first. */
  static <T> List<T> nearest(
      String asked, Collection<T> things, Function<T, List<String>> namesOf, int limit) {
    String wanted = normalize(asked);
    double alike = wanted.length() <= SHORT ? ALIKE_WHEN_SHORT : ALIKE;
    return things.stream()
        .map(thing -> Map.entry(best(wanted, namesOf.apply(thing)), thing))
        .filter(scored -> scored.getKey() >= alike)
        .sorted(Comparator.comparing(scored -> -scored.getKey()))
        .limit(limit)
        .map(Map.Entry::getValue)
        .toList();
  }

  private static double best(String wanted, List<String> names) {
    return names.stream().mapToDouble(name -> likeness(wanted, normalize(name))).max().orElse(0);
  }

  /** From 0, nothing in common, to 1, the same. */
  static double likeness(String one, String other) {
    int longer = Math.max(one.length(), other.length());
    int shorter = Math.min(one.length(), other.length());
    if (shorter == 0) {
      return 0;
    }
    double edits = 1 - (double) distance(one, other) / longer;
    boolean within = shorter * 3 >= longer && (one.contains(other) || other.contains(one));
    return within ? Math.max(edits, ALIKE) : edits;
  }

  /** How many letters must be put in, taken out or changed to make one of the other. */
  private static int distance(String one, String other) {
    int[] row = new int[other.length() + 1];
    for (int j = 0; j <= other.length(); j++) {
      row[j] = j;
    }
    for (int i = 1; i <= one.length(); i++) {
      int diagonal = row[0];
      row[0] = i;
      for (int j = 1; j <= other.length(); j++) {
        int changed = diagonal + (one.charAt(i - 1) == other.charAt(j - 1) ? 0 : 1);
        diagonal = row[j];
        row[j] = Math.min(changed, 1 + Math.min(row[j], row[j - 1]));
      }
    }
    return row[other.length()];
  }
}
