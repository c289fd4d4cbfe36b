package hotels;

import io.grpc.ForwardingServerCallListener.SimpleForwardingServerCallListener;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import java.time.Duration;

/** Waits before each call that is good is answered, so that one can see calls overlap. */
final class Delay implements ServerInterceptor {
  private final Duration delay;

  Delay(Duration delay) {
    this.delay = delay;
  }

  @Override
  public <Q, A> ServerCall.Listener<Q> interceptCall(
      ServerCall<Q, A> call, Metadata headers, ServerCallHandler<Q, A> next) {
    return new SimpleForwardingServerCallListener<>(next.startCall(call, headers)) {
      @Override
      public void onHalfClose() {
        try {
          Thread.sleep(delay.toMillis());
        } catch (InterruptedException stopped) {
          Thread.currentThread().interrupt();
          throw Status.UNAVAILABLE.withDescription("the server has stopped").asRuntimeException();
        }
        super.onHalfClose();
      }
    };
  }
}
