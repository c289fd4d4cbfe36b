package hotels;

import io.grpc.ForwardingServerCallListener.SimpleForwardingServerCallListener;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.StatusRuntimeException;
import java.io.PrintStream;
import java.util.UUID;

/**
 * Answers a call with what was thrown for it. What nobody expected is told as an incident, whose
 * cause only the log has.
 */
final class FailureAnswers implements ServerInterceptor {
  private final PrintStream log;

  FailureAnswers(PrintStream log) {
    this.log = log;
  }

  @Override
  public <Q, A> ServerCall.Listener<Q> interceptCall(
      ServerCall<Q, A> call, Metadata headers, ServerCallHandler<Q, A> next) {
    return new SimpleForwardingServerCallListener<>(next.startCall(call, headers)) {
      private boolean answered;

      @Override
      public void onMessage(Q request) {
        attempt(() -> super.onMessage(request));
      }

      @Override
      public void onHalfClose() {
        attempt(super::onHalfClose);
      }

      private void attempt(Runnable step) {
        if (answered) {
          return;
        }
        try {
          step.run();
        } catch (StatusRuntimeException failure) {
          answer(failure);
        } catch (RuntimeException bug) {
          answer(unexpected(bug));
        }
      }

      private void answer(StatusRuntimeException failure) {
        answered = true;
        Metadata trailers = failure.getTrailers();
        call.close(failure.getStatus(), trailers == null ? new Metadata() : trailers);
      }
    };
  }

  private StatusRuntimeException unexpected(RuntimeException bug) {
    String incident = UUID.randomUUID().toString().substring(0, 8);
    synchronized (log) {
      log.println("hotels: incident " + incident);
      bug.printStackTrace(log);
    }
    return Failures.unexpected(incident);
  }
}
