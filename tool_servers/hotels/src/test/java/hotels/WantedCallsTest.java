package hotels;

import static org.junit.jupiter.api.Assertions.assertEquals;

import hotels.v1.BookRoomRequest;
import hotels.v1.HotelServiceGrpc;
import hotels.v1.SearchHotelsRequest;
import hotels.v1.SearchHotelsResponse;
import io.grpc.Context;
import io.grpc.ForwardingServerCallListener.SimpleForwardingServerCallListener;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;

final class WantedCallsTest {
  private static final SearchHotelsRequest SEARCH =
      SearchHotelsRequest.newBuilder()
          .setCity("上海")
          .setCheckIn("2026-03-02")
          .setCheckOut("2026-03-04")
          .build();

  @Test
  void aCallWhoseCallerHasGoneBooksNothing() throws Exception {
    Waiting waiting = new Waiting();
    try (TestServer server = new TestServer(waiting)) {
      SearchHotelsResponse before = server.hotels.searchHotels(SEARCH);
      var call =
          HotelServiceGrpc.newFutureStub(server.channel)
              .bookRoom(
                  BookRoomRequest.newBuilder()
                      .setHotelId(before.getOffers(0).getHotel().getId())
                      .setCheckIn(SEARCH.getCheckIn())
                      .setCheckOut(SEARCH.getCheckOut())
                      .setGuestName("王芳")
                      .build());
      waiting.reached.await();

      call.cancel(true);

      waiting.ended.await();
      assertEquals(before, server.hotels.searchHotels(SEARCH));
    }
  }

  /** Holds a booking until its caller has gone, and then lets it go on. */
  private static final class Waiting implements ServerInterceptor {
    final CountDownLatch reached = new CountDownLatch(1);
    final CountDownLatch ended = new CountDownLatch(1);

    @Override
    public <Q, A> ServerCall.Listener<Q> interceptCall(
        ServerCall<Q, A> call, Metadata headers, ServerCallHandler<Q, A> next) {
      if (!call.getMethodDescriptor().getBareMethodName().equals("BookRoom")) {
        return next.startCall(call, headers);
      }
      return new SimpleForwardingServerCallListener<>(next.startCall(call, headers)) {
        @Override
        public void onHalfClose() {
          CountDownLatch gone = new CountDownLatch(1);
          Context.current().addListener(context -> gone.countDown(), Runnable::run);
          reached.countDown();
          try {
            gone.await();
            super.onHalfClose();
          } catch (InterruptedException error) {
            throw Status.UNAVAILABLE.asRuntimeException();
          } finally {
            ended.countDown();
          }
        }
      };
    }
  }
}
