package hotels;

import com.google.protobuf.Timestamp;
import com.google.type.Money;
import hotels.v1.BookRoomRequest;
import hotels.v1.Booking;
import hotels.v1.BookingState;
import java.security.SecureRandom;
import java.time.Clock;
import java.time.Instant;
import java.time.LocalDate;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Random;

/** The bookings, in memory. It holds only so many: those that nobody needs any more make room. */
final class Bookings {
  private static final String LETTERS = "23456789ABCDEFGHJKMNPQRSTVWXYZ";
  private static final int ID_LETTERS = 8;

  /** A booking, where it is, and the request that it was made for. */
  private record Entry(Booking booking, Listing listing, Stay stay, BookRoomRequest request) {}

  private final int most;
  private final Availability availability;
  private final Clock clock;
  private final Random random = new SecureRandom();
  private final Map<String, Entry> byId = new LinkedHashMap<>();
  private final Map<String, String> idByRequestId = new LinkedHashMap<>();

  Bookings(int most, Availability availability, Clock clock) {
    this.most = most;
    this.availability = availability;
    this.clock = clock;
  }

  /** Answered when a request_id comes again: the booking, and the request that it was made for. */
  record Made(Booking booking, BookRoomRequest request) {}

  synchronized Optional<Made> madeFor(String requestId) {
    return Optional.ofNullable(idByRequestId.get(requestId))
        .map(byId::get)
        .map(entry -> new Made(entry.booking(), entry.request()));
  }

  synchronized Optional<Booking> find(String id) {
    return Optional.ofNullable(byId.get(id)).map(Entry::booking);
  }

  /** Books a room that is left, or throws where there are too many bookings. */
  synchronized Booking book(Listing listing, Stay stay, BookRoomRequest request) {
    if (byId.size() >= most && !forgetOne()) {
      throw Failures.tooManyBookings(most);
    }
    availability.take(listing, stay);
    Booking booking = booking(newId(), listing, stay, request);
    byId.put(booking.getId(), new Entry(booking, listing, stay, request));
    if (!request.getRequestId().isEmpty()) {
      idByRequestId.put(request.getRequestId(), booking.getId());
    }
    return booking;
  }

  /** Cancels a booking that exists; one that is cancelled already stays as it is. */
  synchronized Booking cancel(String id) {
    Entry entry = byId.get(id);
    if (isCancelled(entry)) {
      return entry.booking();
    }
    Booking cancelled =
        entry.booking().toBuilder()
            .setState(BookingState.BOOKING_STATE_CANCELLED)
            .setCancelTime(now())
            .build();
    availability.giveBack(entry.listing().id(), entry.stay());
    byId.put(id, new Entry(cancelled, entry.listing(), entry.stay(), entry.request()));
    return cancelled;
  }

  /** Forgets the oldest booking that is cancelled or over, if there is one. */
  private boolean forgetOne() {
    for (Iterator<Entry> entries = byId.values().iterator(); entries.hasNext(); ) {
      Entry entry = entries.next();
      LocalDate today = entry.listing().city().today(clock);
      if (isCancelled(entry) || !entry.stay().checkOut().isAfter(today)) {
        entries.remove();
        idByRequestId.remove(entry.request().getRequestId());
        if (!isCancelled(entry)) {
          availability.giveBack(entry.listing().id(), entry.stay());
        }
        return true;
      }
    }
    return false;
  }

  private Booking booking(String id, Listing listing, Stay stay, BookRoomRequest request) {
    return Booking.newBuilder()
        .setId(id)
        .setState(BookingState.BOOKING_STATE_CONFIRMED)
        .setHotelId(listing.id())
        .setHotelName(listing.hotel().getName())
        .setAddress(listing.hotel().getAddress())
        .setGuestName(request.getGuestName())
        .setGuests(request.getGuests())
        .setCheckIn(stay.checkIn().toString())
        .setCheckOut(stay.checkOut().toString())
        .setNights(stay.nights())
        .setTotalPrice(totalPrice(listing, stay))
        .setCreateTime(now())
        .setSource(Inventory.SOURCE)
        .build();
  }

  static Money totalPrice(Listing listing, Stay stay) {
    Money nightly = listing.hotel().getNightlyPrice();
    return nightly.toBuilder().setUnits(nightly.getUnits() * stay.nights()).build();
  }

  /**
   * Nobody can guess it, and after a restart it names nothing of before: what somebody kept must
   * not cancel a booking of somebody else.
   */
  private String newId() {
    while (true) {
      StringBuilder id = new StringBuilder("HB-");
      random.ints(ID_LETTERS, 0, LETTERS.length()).forEach(i -> id.append(LETTERS.charAt(i)));
      if (!byId.containsKey(id.toString())) {
        return id.toString();
      }
    }
  }

  private Timestamp now() {
    Instant now = clock.instant();
    return Timestamp.newBuilder().setSeconds(now.getEpochSecond()).build();
  }

  private static boolean isCancelled(Entry entry) {
    return entry.booking().getState() == BookingState.BOOKING_STATE_CANCELLED;
  }
}
