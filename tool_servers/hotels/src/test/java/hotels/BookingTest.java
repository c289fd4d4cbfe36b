package hotels;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.rpc.ErrorInfo;
import com.google.rpc.PreconditionFailure;
import com.google.rpc.QuotaFailure;
import hotels.v1.BookRoomRequest;
import hotels.v1.Booking;
import hotels.v1.BookingState;
import hotels.v1.CancelBookingRequest;
import hotels.v1.GetBookingRequest;
import hotels.v1.Offer;
import hotels.v1.SearchHotelsRequest;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

final class BookingTest {
  private static final String UUID = "6f0c2f3e-9a66-4d2e-8d1b-5a3f6b1f0a11";
  private static final int MOST = 12;

  private TestServer server;
  private Offer offer;
  private BookRoomRequest request;

  @BeforeEach
  void start() throws IOException {
    server = new TestServer(MOST);
    offer = search().get(0);
    request =
        BookRoomRequest.newBuilder()
            .setHotelId(offer.getHotel().getId())
            .setCheckIn("2026-03-02")
            .setCheckOut("2026-03-04")
            .setGuestName(" 王芳 ")
            .build();
  }

  @AfterEach
  void stop() {
    server.close();
  }

  private List<Offer> search() {
    return server
        .hotels
        .searchHotels(
            SearchHotelsRequest.newBuilder()
                .setCity("上海")
                .setCheckIn("2026-03-02")
                .setCheckOut("2026-03-04")
                .setPageSize(20)
                .build())
        .getOffersList();
  }

  private int roomsLeft() {
    return search().stream()
        .filter(each -> each.getHotel().getId().equals(request.getHotelId()))
        .mapToInt(Offer::getRoomsLeft)
        .findFirst()
        .orElse(0);
  }

  private Booking cancel(Booking booking) {
    return server.hotels.cancelBooking(
        CancelBookingRequest.newBuilder().setBookingId(booking.getId()).build());
  }

  private Booking get(Booking booking) {
    return server.hotels.getBooking(
        GetBookingRequest.newBuilder().setBookingId(booking.getId()).build());
  }

  @Test
  void aBookingTakesARoomAndIsFoundAgain() {
    int before = roomsLeft();

    Booking booking = server.hotels.bookRoom(request);

    assertEquals(BookingState.BOOKING_STATE_CONFIRMED, booking.getState());
    assertEquals("王芳", booking.getGuestName());
    assertEquals(1, booking.getGuests());
    assertEquals(offer.getTotalPrice(), booking.getTotalPrice());
    assertEquals(2, booking.getNights());
    assertTrue(booking.getSource().startsWith("simulated"));
    assertEquals(booking, get(booking));
    assertEquals(before - 1, roomsLeft());
  }

  @Test
  void twoCallsBookTwoRoomsUnlessTheyHaveOneRequestId() {
    BookRoomRequest once = request.toBuilder().setRequestId(UUID).build();
    int before = roomsLeft();

    Booking booking = server.hotels.bookRoom(once);

    assertEquals(booking, server.hotels.bookRoom(once));
    assertEquals(before - 1, roomsLeft());
    Booking other = server.hotels.bookRoom(request);
    assertNotEquals(other.getId(), server.hotels.bookRoom(request).getId());
    assertEquals(before - 3, roomsLeft());
  }

  @Test
  void aRequestThatMeansTheSameIsTheSame() {
    Booking booking = server.hotels.bookRoom(request.toBuilder().setRequestId(UUID).build());

    BookRoomRequest again =
        request.toBuilder()
            .setRequestId(UUID.toUpperCase(Locale.ROOT))
            .setGuestName("王芳")
            .setGuests(1)
            .build();

    assertEquals(booking, server.hotels.bookRoom(again));
  }

  @Test
  void anIdNamesNoBookingThatAnotherServerMade() throws IOException {
    Booking booking = server.hotels.bookRoom(request);

    try (TestServer other = new TestServer(MOST)) {
      assertNotEquals(booking.getId(), other.hotels.bookRoom(request).getId());
    }
  }

  @Test
  void aRequestIdOfAnotherBookingIsRefused() {
    server.hotels.bookRoom(request.toBuilder().setRequestId(UUID).build());
    int before = roomsLeft();

    Map<String, String> violations =
        TestServer.violations(
            () ->
                server.hotels.bookRoom(
                    request.toBuilder().setRequestId(UUID).setGuestName("Li").build()));

    assertEquals(Set.of("request_id"), violations.keySet());
    assertEquals(before, roomsLeft());
  }

  @Test
  void aHotelThatIsSoldOutNamesOthersThatHaveRooms() {
    for (int rooms = roomsLeft(); rooms > 0; rooms--) {
      server.hotels.bookRoom(request);
    }

    StatusRuntimeException failure =
        TestServer.failure(Status.Code.FAILED_PRECONDITION, () -> server.hotels.bookRoom(request));

    ErrorInfo info = TestServer.detail(failure, ErrorInfo.class);
    assertEquals("SOLD_OUT", info.getReason());
    String[] alternatives = info.getMetadataMap().get("alternatives").split(",");
    assertEquals(3, alternatives.length);
    for (String alternative : alternatives) {
      assertTrue(failure.getMessage().contains('"' + alternative + '"'), failure.getMessage());
      server.hotels.bookRoom(request.toBuilder().setHotelId(alternative).build());
    }
    assertEquals(
        request.getHotelId(),
        TestServer.detail(failure, PreconditionFailure.class).getViolations(0).getSubject());
  }

  @Test
  void cancellingGivesTheRoomBackOnceHoweverOftenItIsAsked() {
    int before = roomsLeft();
    Booking booking = server.hotels.bookRoom(request);

    Booking cancelled = cancel(booking);

    assertEquals(BookingState.BOOKING_STATE_CANCELLED, cancelled.getState());
    assertTrue(cancelled.hasCancelTime());
    assertEquals(before, roomsLeft());
    server.clock.goOn(Duration.ofDays(5));
    assertEquals(cancelled, cancel(booking));
    assertEquals(cancelled, get(booking));
    server.clock.goOn(Duration.ofDays(-5));
    assertEquals(before, roomsLeft());
  }

  @Test
  void aStayThatHasBegunIsNotCancelled() {
    Booking booking = server.hotels.bookRoom(request);
    server.clock.goOn(Duration.ofDays(2));

    StatusRuntimeException failure =
        TestServer.failure(Status.Code.FAILED_PRECONDITION, () -> cancel(booking));

    assertEquals("STAY_HAS_BEGUN", TestServer.detail(failure, ErrorInfo.class).getReason());
    assertEquals(BookingState.BOOKING_STATE_CONFIRMED, get(booking).getState());
  }

  @Test
  void moreGuestsThanBedsAreRefused() {
    String small =
        search().stream()
            .filter(each -> each.getHotel().getMaxGuests() < 4)
            .findFirst()
            .orElseThrow()
            .getHotel()
            .getId();

    Map<String, String> violations =
        TestServer.violations(
            () ->
                server.hotels.bookRoom(request.toBuilder().setHotelId(small).setGuests(4).build()));

    assertEquals(Set.of("guests"), violations.keySet());
  }

  @Test
  void aFullStoreRefusesAndForgetsWhatIsCancelledOrOver() {
    List<Booking> bookings = new ArrayList<>();
    while (bookings.size() < MOST) {
      for (Offer each : search()) {
        if (bookings.size() < MOST) {
          bookings.add(
              server.hotels.bookRoom(
                  request.toBuilder().setHotelId(each.getHotel().getId()).build()));
        }
      }
    }
    BookRoomRequest later =
        request.toBuilder().setCheckIn("2026-04-06").setCheckOut("2026-04-07").build();
    StatusRuntimeException failure =
        TestServer.failure(Status.Code.RESOURCE_EXHAUSTED, () -> server.hotels.bookRoom(later));
    assertFalse(TestServer.detail(failure, QuotaFailure.class).getViolationsList().isEmpty());

    cancel(bookings.get(3));
    server.hotels.bookRoom(later);
    TestServer.failure(Status.Code.NOT_FOUND, () -> get(bookings.get(3)));

    server.clock.goOn(Duration.ofDays(30));
    server.hotels.bookRoom(later);
    TestServer.failure(Status.Code.NOT_FOUND, () -> get(bookings.get(0)));
    assertEquals(bookings.get(1), get(bookings.get(1)));
  }

  @Test
  void anUnknownBookingIsNotToldOfOthers() {
    Booking booking = server.hotels.bookRoom(request);
    char last = booking.getId().charAt(10);
    String near = booking.getId().substring(0, 10) + (last == 'A' ? 'B' : 'A');

    String told =
        TestServer.failure(
                Status.Code.NOT_FOUND, () -> get(booking.toBuilder().setId(near).build()))
            .getMessage();

    assertFalse(told.contains(booking.getId()));
  }
}
