package hotels;

import io.grpc.Context;
import io.grpc.Contexts;
import io.grpc.ForwardingServerCall.SimpleForwardingServerCall;
import io.grpc.ForwardingServerCallListener.SimpleForwardingServerCallListener;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import java.io.PrintStream;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.concurrent.atomic.AtomicBoolean;

/** Writes a line for each call: its method, code and milliseconds, and nothing of what was said. */
final class CallLog implements ServerInterceptor {
  private final PrintStream log;

  CallLog(PrintStream log) {
    this.log = log;
  }

  @Override
  public <Q, A> ServerCall.Listener<Q> interceptCall(
      ServerCall<Q, A> call, Metadata headers, ServerCallHandler<Q, A> next) {
    String method = call.getMethodDescriptor().getBareMethodName();
    long start = System.nanoTime();
    AtomicBoolean written = new AtomicBoolean();
    ServerCall<Q, A> logged =
        new SimpleForwardingServerCall<>(call) {
          @Override
          public void close(Status status, Metadata trailers) {
            write(written, method, status.getCode(), start);
            super.close(status, trailers);
          }
        };
    return new SimpleForwardingServerCallListener<>(next.startCall(logged, headers)) {
      @Override
      public void onCancel() {
        Status status = Contexts.statusFromCancelled(Context.current());
        write(written, method, status.getCode(), start);
        super.onCancel();
      }
    };
  }

  private void write(AtomicBoolean written, String method, Status.Code code, long start) {
    if (written.compareAndSet(false, true)) {
      log.printf(
          "%s INFO hotels method=%s code=%s ms=%d%n",
          Instant.now().truncatedTo(ChronoUnit.MILLIS),
          method,
          code,
          Duration.ofNanos(System.nanoTime() - start).toMillis());
    }
  }
}
