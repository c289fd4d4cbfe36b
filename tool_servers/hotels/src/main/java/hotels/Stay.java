package hotels;

import java.time.LocalDate;
import java.time.temporal.ChronoUnit;
import java.util.List;

/** The nights from a day of arrival to a day of departure. */
record Stay(LocalDate checkIn, LocalDate checkOut) {
  static final int MOST_NIGHTS = 30;
  static final int MOST_DAYS_AHEAD = 365;

  int nights() {
    return (int) ChronoUnit.DAYS.between(checkIn, checkOut);
  }

  /** The days on which its nights begin. */
  List<LocalDate> days() {
    return checkIn.datesUntil(checkOut).toList();
  }
}
