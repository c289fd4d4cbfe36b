package hotels;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.common.util.concurrent.ListenableFuture;
import com.google.rpc.ErrorInfo;
import hotels.v1.GetHotelRequest;
import hotels.v1.Hotel;
import hotels.v1.HotelServiceGrpc;
import io.grpc.ForwardingServerCallListener.SimpleForwardingServerCallListener;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.reflection.v1.ServerReflectionGrpc;
import io.grpc.reflection.v1.ServerReflectionRequest;
import io.grpc.reflection.v1.ServerReflectionResponse;
import io.grpc.stub.StreamObserver;
import java.time.Duration;
import java.util.Iterator;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

final class ServerTest {
  private static final GetHotelRequest SHANGHAI_1 =
      GetHotelRequest.newBuilder().setHotelId("shanghai-1").build();

  /** Does something to each call before it is answered. */
  private static ServerInterceptor before(Runnable step) {
    return new ServerInterceptor() {
      @Override
      public <Q, A> ServerCall.Listener<Q> interceptCall(
          ServerCall<Q, A> call, Metadata headers, ServerCallHandler<Q, A> next) {
        return new SimpleForwardingServerCallListener<>(next.startCall(call, headers)) {
          @Override
          public void onHalfClose() {
            step.run();
            super.onHalfClose();
          }
        };
      }
    };
  }

  /** Holds calls until it is opened, and tells that one has come. */
  private static final class Gate implements Runnable {
    final CountDownLatch reached = new CountDownLatch(1);
    final CountDownLatch open = new CountDownLatch(1);

    @Override
    public void run() {
      reached.countDown();
      try {
        open.await();
      } catch (InterruptedException error) {
        throw Status.UNAVAILABLE.asRuntimeException();
      }
    }
  }

  @Test
  void aRequestThatIsTooLargeIsRefused() throws Exception {
    GetHotelRequest large = SHANGHAI_1.toBuilder().setHotelId("x".repeat(70_000)).build();

    try (TestServer server = new TestServer()) {
      TestServer.failure(Status.Code.RESOURCE_EXHAUSTED, () -> server.hotels.getHotel(large));
    }
  }

  @Test
  void theLogHasALineForACallWithoutItsArguments() throws Exception {
    try (TestServer server = new TestServer()) {
      server.hotels.getHotel(SHANGHAI_1);
      TestServer.violations(() -> server.hotels.getHotel(GetHotelRequest.getDefaultInstance()));

      String log = server.log();
      assertTrue(log.contains("method=GetHotel code=OK ms="), log);
      assertTrue(log.contains("method=GetHotel code=INVALID_ARGUMENT ms="), log);
      assertFalse(log.contains("shanghai"), log);
    }
  }

  @Test
  void aBugIsToldAsAnIncidentThatTheLogExplains() throws Exception {
    Runnable bug =
        () -> {
          throw new IllegalStateException("the secret cause");
        };
    try (TestServer server = new TestServer(before(bug))) {
      StatusRuntimeException failure =
          TestServer.failure(Status.Code.INTERNAL, () -> server.hotels.getHotel(SHANGHAI_1));

      String incident =
          TestServer.detail(failure, ErrorInfo.class).getMetadataMap().get("incident");
      assertFalse(failure.toString().contains("secret"), failure.toString());
      assertTrue(server.log().contains("incident " + incident));
      assertTrue(server.log().contains("the secret cause"));
    }
  }

  @Test
  void stoppingSaysNotServingRefusesNewCallsAndFinishesThoseInFlight() throws Exception {
    Gate gate = new Gate();
    try (TestServer server = new TestServer(before(gate))) {
      Iterator<HealthCheckResponse> health =
          HealthGrpc.newBlockingStub(server.channel).watch(HealthCheckRequest.getDefaultInstance());
      assertEquals(ServingStatus.SERVING, health.next().getStatus());
      ListenableFuture<Hotel> inFlight =
          HotelServiceGrpc.newFutureStub(server.channel).getHotel(SHANGHAI_1);
      gate.reached.await();

      CompletableFuture<Void> stopped =
          CompletableFuture.runAsync(() -> server.stop(Duration.ofSeconds(60)));

      assertEquals(ServingStatus.NOT_SERVING, health.next().getStatus());
      assertThrows(StatusRuntimeException.class, health::next);
      TestServer.failure(Status.Code.UNAVAILABLE, () -> callUntilRefused(server));
      assertFalse(stopped.isDone());
      gate.open.countDown();
      assertEquals("shanghai-1", inFlight.get().getId());
      // Long before the grace is over, though the health was being watched.
      stopped.get(50, TimeUnit.SECONDS);
    }
  }

  private static void callUntilRefused(TestServer server) {
    while (true) {
      HealthGrpc.newBlockingStub(server.channel).check(HealthCheckRequest.getDefaultInstance());
    }
  }

  @Test
  void aCallThatOutlivesTheGraceIsCut() throws Exception {
    Gate gate = new Gate();
    try (TestServer server = new TestServer(before(gate))) {
      ListenableFuture<Hotel> inFlight =
          HotelServiceGrpc.newFutureStub(server.channel).getHotel(SHANGHAI_1);
      gate.reached.await();

      server.stop(Duration.ZERO);

      Exception cut = assertThrows(Exception.class, inFlight::get);
      assertEquals(Status.Code.UNAVAILABLE, Status.fromThrowable(cut).getCode());
      assertTrue(cut.getMessage().contains("the server is stopping: try again"), cut.toString());
    }
  }

  @Test
  void reflectionListsTheServices() throws Exception {
    BlockingQueue<ServerReflectionResponse> answers = new LinkedBlockingQueue<>();
    try (TestServer server = new TestServer()) {
      StreamObserver<ServerReflectionRequest> requests =
          ServerReflectionGrpc.newStub(server.channel).serverReflectionInfo(into(answers));
      requests.onNext(ServerReflectionRequest.newBuilder().setListServices("").build());

      String listed = answers.take().getListServicesResponse().toString();

      assertTrue(listed.contains("hotels.v1.HotelService"), listed);
      assertTrue(listed.contains("grpc.reflection.v1alpha.ServerReflection"), listed);
      requests.onCompleted();
    }
  }

  private static <T> StreamObserver<T> into(BlockingQueue<T> answers) {
    return new StreamObserver<>() {
      @Override
      public void onNext(T answer) {
        answers.add(answer);
      }

      @Override
      public void onError(Throwable error) {}

      @Override
      public void onCompleted() {}
    };
  }
}
