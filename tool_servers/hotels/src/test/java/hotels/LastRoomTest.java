package hotels;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import hotels.v1.BookRoomRequest;
import hotels.v1.Booking;
import hotels.v1.SearchHotelsRequest;
import hotels.v1.SearchHotelsResponse;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.StreamObserver;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;

/** Guests who come at the same moment, without a network between them and the service. */
final class LastRoomTest {
  private static final int GUESTS = 12;
  private static final int NIGHTS = 100;

  private final HotelService hotels = new HotelService(new TestClock(), GUESTS * NIGHTS);
  private final CyclicBarrier door = new CyclicBarrier(GUESTS);

  @Test
  void noRoomIsBookedTwiceHoweverManyComeAtOnce() throws Exception {
    ExecutorService guests = Executors.newFixedThreadPool(GUESTS);
    LocalDate day = LocalDate.of(2026, 3, 2);
    int rooms = 0;
    for (int night = 0; night < NIGHTS; night++, day = day.plusDays(1)) {
      int left = roomsLeft(day);
      rooms += left;
      assertEquals(left, booked(guests.invokeAll(Collections.nCopies(GUESTS, book(day)))));
    }
    guests.shutdown();
    assertTrue(rooms > NIGHTS);
  }

  private static int booked(List<Future<Boolean>> answers) throws Exception {
    int booked = 0;
    for (Future<Boolean> answer : answers) {
      booked += answer.get() ? 1 : 0;
    }
    return booked;
  }

  private Callable<Boolean> book(LocalDate day) {
    BookRoomRequest request =
        BookRoomRequest.newBuilder()
            .setHotelId("shanghai-1")
            .setCheckIn(day.toString())
            .setCheckOut(day.plusDays(1).toString())
            .setGuestName("Wang Fang")
            .build();
    return () -> {
      door.await();
      try {
        hotels.bookRoom(request, new Answers<Booking>());
        return true;
      } catch (StatusRuntimeException soldOut) {
        return false;
      }
    };
  }

  private int roomsLeft(LocalDate day) {
    Answers<SearchHotelsResponse> answers = new Answers<>();
    hotels.searchHotels(
        SearchHotelsRequest.newBuilder()
            .setCity("Shanghai")
            .setCheckIn(day.toString())
            .setCheckOut(day.plusDays(1).toString())
            .setPageSize(20)
            .build(),
        answers);
    return answers.all.get(0).getOffersList().stream()
        .filter(offer -> offer.getHotel().getId().equals("shanghai-1"))
        .mapToInt(offer -> offer.getRoomsLeft())
        .sum();
  }

  /** What a call answered. */
  private static final class Answers<T> implements StreamObserver<T> {
    final List<T> all = new ArrayList<>();

    @Override
    public void onNext(T answer) {
      all.add(answer);
    }

    @Override
    public void onError(Throwable error) {
      throw new AssertionError(error);
    }

    @Override
    public void onCompleted() {}
  }
}
