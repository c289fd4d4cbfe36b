package hotels;

import build.buf.protovalidate.Validator;
import build.buf.protovalidate.ValidatorFactory;
import build.buf.protovalidate.exceptions.ValidationException;
import com.google.protobuf.Descriptors.FileDescriptor;
import com.google.protobuf.DynamicMessage;
import com.google.protobuf.Message;
import io.grpc.ForwardingServerCallListener.SimpleForwardingServerCallListener;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;

/** Refuses a request that breaks the rules of its .proto before the service sees it. */
final class RuleCheck implements ServerInterceptor {
  private final Validator validator = ValidatorFactory.newBuilder().build();

  /** Compiles the rules of a file's messages now, so that a first call does not wait for it. */
  RuleCheck(FileDescriptor file) {
    file.getMessageTypes().forEach(type -> check(DynamicMessage.getDefaultInstance(type)));
  }

  @Override
  public <Q, A> ServerCall.Listener<Q> interceptCall(
      ServerCall<Q, A> call, Metadata headers, ServerCallHandler<Q, A> next) {
    return new SimpleForwardingServerCallListener<>(next.startCall(call, headers)) {
      @Override
      public void onMessage(Q request) {
        check((Message) request).refuse();
        super.onMessage(request);
      }
    };
  }

  private Violations check(Message request) {
    Violations violations = new Violations();
    try {
      validator
          .validate(request)
          .getViolations()
          .forEach(each -> violations.add(RuleWording.path(each), RuleWording.description(each)));
    } catch (ValidationException error) {
      throw new IllegalStateException("a rule of the .proto cannot be run", error);
    }
    return violations;
  }
}
