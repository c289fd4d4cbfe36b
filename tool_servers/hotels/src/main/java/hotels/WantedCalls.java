package hotels;

import io.grpc.Context;
import io.grpc.Contexts;
import io.grpc.ForwardingServerCallListener.SimpleForwardingServerCallListener;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;

/** Lets no call go on whose caller has gone while it waited: nothing must be booked for nobody. */
final class WantedCalls implements ServerInterceptor {
  @Override
  public <Q, A> ServerCall.Listener<Q> interceptCall(
      ServerCall<Q, A> call, Metadata headers, ServerCallHandler<Q, A> next) {
    return new SimpleForwardingServerCallListener<>(next.startCall(call, headers)) {
      @Override
      public void onHalfClose() {
        if (Context.current().isCancelled()) {
          throw Contexts.statusFromCancelled(Context.current()).asRuntimeException();
        }
        super.onHalfClose();
      }
    };
  }
}
