package hotels;

import java.time.LocalDate;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** How many rooms of a hotel are left in a night: those that others took, and those booked here. */
final class Availability {
  private record Night(String hotelId, LocalDate day) {}

  private final long seed;
  private final Map<Night, Integer> booked = new HashMap<>();

  Availability(long seed) {
    this.seed = seed;
  }

  /** How many rooms are left in the stay's fullest night. */
  synchronized int roomsLeft(Listing listing, Stay stay) {
    return stay.days().stream().mapToInt(day -> roomsLeft(listing, day)).min().orElse(0);
  }

  /** The days of the stay in whose night no room is left. */
  synchronized List<LocalDate> fullNights(Listing listing, Stay stay) {
    return stay.days().stream().filter(day -> roomsLeft(listing, day) == 0).toList();
  }

  /** Takes a room that is left in each night of the stay. */
  synchronized void take(Listing listing, Stay stay) {
    stay.days().forEach(day -> booked.merge(new Night(listing.id(), day), 1, Integer::sum));
  }

  /** Gives back a room that was taken. */
  synchronized void giveBack(String hotelId, Stay stay) {
    stay.days()
        .forEach(
            day ->
                booked.computeIfPresent(
                    new Night(hotelId, day), (night, rooms) -> rooms == 1 ? null : rooms - 1));
  }

  private int roomsLeft(Listing listing, LocalDate day) {
    int free = listing.rooms() - takenByOthers(listing, day);
    return free - booked.getOrDefault(new Night(listing.id(), day), 0);
  }

  /** Made up: one night in 25 is full, in the others any number of rooms but one is taken. */
  private int takenByOthers(Listing listing, LocalDate day) {
    long number = Mix.of(seed + "/" + listing.id() + "/" + day) >>> 1;
    return number % 25 == 0 ? listing.rooms() : (int) (number / 25 % listing.rooms());
  }
}
