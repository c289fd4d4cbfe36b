package hotels;

import java.time.Clock;
import java.time.LocalDate;
import java.time.ZoneId;
import java.util.List;

/**
 * A city that has hotels.
 *
 * @param names in English, as it is shown first
 * @param chinese its names in Chinese, at least one
 * @param regions what it lies in: the country as it is shown, then other names of it
 * @param zone what its dates go by
 * @param currency the ISO 4217 code of its prices
 * @param usualPrice what a night in a hotel of three stars costs about
 * @param districts where its hotels lie
 */
record City(
    List<String> names,
    List<String> chinese,
    List<String> regions,
    ZoneId zone,
    String currency,
    int usualPrice,
    List<String> districts) {

  /** {@code Shanghai}. */
  String name() {
    return names.get(0);
  }

  /** {@code Shanghai (上海)}. */
  String bilingual() {
    return name() + " (" + chinese.get(0) + ")";
  }

  String country() {
    return regions.get(0);
  }

  /** The date that it is there now. */
  LocalDate today(Clock clock) {
    return LocalDate.now(clock.withZone(zone));
  }
}
