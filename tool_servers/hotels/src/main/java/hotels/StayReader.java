package hotels;

import java.time.LocalDate;
import java.time.format.DateTimeParseException;
import java.util.Optional;

/** Reads a stay from the dates of a request, and says everything that is wrong with them. */
final class StayReader {
  private final Violations violations;

  StayReader(Violations violations) {
    this.violations = violations;
  }

  /** The stay, wherever it is; nothing when its dates make none. */
  Optional<Stay> read(String checkIn, String checkOut) {
    Optional<LocalDate> from = date("check_in", checkIn);
    Optional<LocalDate> to = date("check_out", checkOut);
    if (from.isEmpty() || to.isEmpty()) {
      return Optional.empty();
    }
    Stay stay = new Stay(from.get(), to.get());
    checkLength(stay);
    return Optional.of(stay);
  }

  /** The stay, where today is known. */
  Optional<Stay> read(String checkIn, String checkOut, City city, LocalDate today) {
    Optional<Stay> stay = read(checkIn, checkOut);
    stay.ifPresent(each -> checkDistance(each, city, today));
    return stay;
  }

  private Optional<LocalDate> date(String field, String text) {
    try {
      return Optional.of(LocalDate.parse(text));
    } catch (DateTimeParseException error) {
      String fact = "%s is no day of the calendar: give one that is, as YYYY-MM-DD";
      violations.add(field, fact.formatted(Text.quote(text)));
      return Optional.empty();
    }
  }

  private void checkLength(Stay stay) {
    if (stay.nights() < 1) {
      violations.add(
          "check_out",
          "%s is not after check_in %s: give the day of departure, %s or later"
              .formatted(
                  Text.quote(stay.checkOut()),
                  Text.quote(stay.checkIn()),
                  Text.quote(stay.checkIn().plusDays(1))));
    } else if (stay.nights() > Stay.MOST_NIGHTS) {
      violations.add(
          "check_out",
          "%s is %d nights after check_in, a stay has at most %d: give %s or earlier"
              .formatted(
                  Text.quote(stay.checkOut()),
                  stay.nights(),
                  Stay.MOST_NIGHTS,
                  Text.quote(stay.checkIn().plusDays(Stay.MOST_NIGHTS))));
    }
  }

  private void checkDistance(Stay stay, City city, LocalDate today) {
    LocalDate last = today.plusDays(Stay.MOST_DAYS_AHEAD);
    if (stay.checkIn().isBefore(today)) {
      violations.add(
          "check_in",
          "%s is past, in %s it is %s today: give that day or a later one"
              .formatted(Text.quote(stay.checkIn()), city.name(), Text.quote(today)));
    } else if (stay.checkIn().isAfter(last)) {
      violations.add(
          "check_in",
          "%s is more than %d days ahead: give a day from %s to %s"
              .formatted(
                  Text.quote(stay.checkIn()),
                  Stay.MOST_DAYS_AHEAD,
                  Text.quote(today),
                  Text.quote(last)));
    }
  }
}
