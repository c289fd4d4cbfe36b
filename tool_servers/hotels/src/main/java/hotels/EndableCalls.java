package hotels;

import io.grpc.ForwardingServerCall.SimpleForwardingServerCall;
import io.grpc.ForwardingServerCallListener.SimpleForwardingServerCallListener;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor.MethodType;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Ends calls when the server stops, with a status that says so: cut off, they would look cancelled.
 */
final class EndableCalls implements ServerInterceptor {
  private static final Status STOPPING =
      Status.UNAVAILABLE.withDescription("the server is stopping: try again");

  private final Set<Endable<?, ?>> open = ConcurrentHashMap.newKeySet();

  @Override
  public <Q, A> ServerCall.Listener<Q> interceptCall(
      ServerCall<Q, A> call, Metadata headers, ServerCallHandler<Q, A> next) {
    Endable<Q, A> endable = new Endable<>(call);
    open.add(endable);
    return new SimpleForwardingServerCallListener<>(next.startCall(endable, headers)) {
      @Override
      public void onCancel() {
        open.remove(endable);
        super.onCancel();
      }

      @Override
      public void onComplete() {
        open.remove(endable);
        super.onComplete();
      }
    };
  }

  /** Ends the streams: a client that watches the health would use up the grace of all others. */
  void endStreams() {
    open.stream()
        .filter(call -> call.getMethodDescriptor().getType() != MethodType.UNARY)
        .forEach(call -> call.close(STOPPING, new Metadata()));
  }

  void endAll() {
    open.forEach(call -> call.close(STOPPING, new Metadata()));
  }

  /** A call that may be closed while its handler writes: a call itself is not safe for that. */
  private static final class Endable<Q, A> extends SimpleForwardingServerCall<Q, A> {
    private boolean closed;

    Endable(ServerCall<Q, A> call) {
      super(call);
    }

    @Override
    public synchronized void sendHeaders(Metadata headers) {
      if (!closed) {
        super.sendHeaders(headers);
      }
    }

    @Override
    public synchronized void sendMessage(A message) {
      if (!closed) {
        super.sendMessage(message);
      }
    }

    @Override
    public synchronized void close(Status status, Metadata trailers) {
      if (!closed) {
        closed = true;
        super.close(status, trailers);
      }
    }
  }
}
