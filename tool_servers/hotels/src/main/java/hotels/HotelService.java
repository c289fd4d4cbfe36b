package hotels;

import hotels.v1.BookRoomRequest;
import hotels.v1.Booking;
import hotels.v1.CancelBookingRequest;
import hotels.v1.GetBookingRequest;
import hotels.v1.GetHotelRequest;
import hotels.v1.Hotel;
import hotels.v1.HotelServiceGrpc;
import hotels.v1.SearchHotelsRequest;
import hotels.v1.SearchHotelsResponse;
import io.grpc.stub.StreamObserver;
import java.time.Clock;
import java.time.LocalDate;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * Answers the calls of hotels.v1.HotelService. Its requests have passed the rules of their .proto;
 * what else is wrong is thrown.
 */
final class HotelService extends HotelServiceGrpc.HotelServiceImplBase {
  static final long SEED = 20260301;
  static final int MOST_BOOKINGS = 10_000;
  private static final int MOST_NAMES = 3;

  private final Clock clock;
  private final Inventory inventory;
  private final Availability availability;
  private final Bookings bookings;
  private final Search search;

  HotelService(Clock clock, int mostBookings) {
    this.clock = clock;
    Cities cities = Cities.load();
    inventory = new Inventory(cities, SEED);
    availability = new Availability(SEED);
    bookings = new Bookings(mostBookings, availability, clock);
    search = new Search(cities, inventory, availability, clock);
  }

  @Override
  public void searchHotels(
      SearchHotelsRequest request, StreamObserver<SearchHotelsResponse> answer) {
    reply(answer, search.search(request));
  }

  @Override
  public void getHotel(GetHotelRequest request, StreamObserver<Hotel> answer) {
    reply(answer, listing(request.getHotelId()).hotel());
  }

  @Override
  public void bookRoom(BookRoomRequest request, StreamObserver<Booking> answer) {
    reply(answer, bookOnce(plain(request)));
  }

  @Override
  public void getBooking(GetBookingRequest request, StreamObserver<Booking> answer) {
    reply(answer, booking(request.getBookingId()));
  }

  @Override
  public void cancelBooking(CancelBookingRequest request, StreamObserver<Booking> answer) {
    reply(answer, cancel(request.getBookingId()));
  }

  private Booking bookOnce(BookRoomRequest request) {
    // One at a time, or two could take the last room.
    synchronized (bookings) {
      Optional<Bookings.Made> made = bookings.madeFor(request.getRequestId());
      return made.isPresent() ? again(made.get(), request) : book(request);
    }
  }

  /** As it is meant: a UUID means the same in upper case, a name without the blanks around it. */
  private static BookRoomRequest plain(BookRoomRequest request) {
    return request.toBuilder()
        .setRequestId(request.getRequestId().toLowerCase(Locale.ROOT))
        .setGuestName(request.getGuestName().strip())
        .setGuests(request.hasGuests() ? request.getGuests() : 1)
        .build();
  }

  private Booking again(Bookings.Made made, BookRoomRequest request) {
    if (!made.request().equals(request)) {
      Violations violations = new Violations();
      violations.add(
          "request_id",
          "%s was given for another booking, %s: give a new UUID, or the same arguments again"
              .formatted(Text.quote(request.getRequestId()), Text.quote(made.booking().getId())));
      violations.refuse();
    }
    return made.booking();
  }

  private Booking book(BookRoomRequest request) {
    Listing listing = listing(request.getHotelId());
    Violations violations = new Violations();
    Optional<Stay> stay =
        new StayReader(violations)
            .read(
                request.getCheckIn(),
                request.getCheckOut(),
                listing.city(),
                listing.city().today(clock));
    checkGuests(request, listing, violations);
    violations.refuse();
    return book(listing, stay.orElseThrow(), request);
  }

  private Booking book(Listing listing, Stay stay, BookRoomRequest request) {
    List<LocalDate> full = availability.fullNights(listing, stay);
    if (!full.isEmpty()) {
      List<String> nights = full.stream().map(LocalDate::toString).toList();
      throw Failures.soldOut(
          listing, nights, search.alternatives(listing, stay, request.getGuests()));
    }
    return bookings.book(listing, stay, request);
  }

  private Booking cancel(String id) {
    synchronized (bookings) {
      Booking booking = booking(id);
      LocalDate today = listing(booking.getHotelId()).city().today(clock);
      if (today.isAfter(LocalDate.parse(booking.getCheckIn())) && !booking.hasCancelTime()) {
        throw Failures.tooLateToCancel(id, booking.getCheckIn());
      }
      return bookings.cancel(id);
    }
  }

  private Listing listing(String id) {
    return inventory
        .find(id)
        .orElseThrow(() -> Failures.unknownHotel(id, inventory.nearest(id, MOST_NAMES)));
  }

  private Booking booking(String id) {
    return bookings.find(id).orElseThrow(() -> Failures.unknownBooking(id));
  }

  private static void checkGuests(BookRoomRequest request, Listing listing, Violations violations) {
    int most = listing.hotel().getMaxGuests();
    if (request.getGuests() > most) {
      violations.add(
          "guests",
          ("\"%d\" is more than a room of hotel %s has beds for: give at most %d, or find a hotel by"
                  + " SearchHotels with guests: %d")
              .formatted(request.getGuests(), Text.quote(listing.id()), most, request.getGuests()));
    }
  }

  private static <T> void reply(StreamObserver<T> answer, T message) {
    answer.onNext(message);
    answer.onCompleted();
  }
}
