package hotels;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import com.google.rpc.BadRequest;
import hotels.v1.HotelServiceGrpc;
import hotels.v1.HotelServiceGrpc.HotelServiceBlockingStub;
import io.grpc.ManagedChannel;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.protobuf.StatusProto;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.function.Executable;

/** A real server at a free port, with a real client of it. */
final class TestServer implements AutoCloseable {
  final TestClock clock = new TestClock();
  final HotelServer server;
  final ManagedChannel channel;
  final HotelServiceBlockingStub hotels;
  private final ByteArrayOutputStream log = new ByteArrayOutputStream();

  TestServer(ServerInterceptor... interceptors) throws IOException {
    this(100, interceptors);
  }

  TestServer(int mostBookings, ServerInterceptor... interceptors) throws IOException {
    server =
        new HotelServer(
            new InetSocketAddress("127.0.0.1", 0),
            new HotelService(clock, mostBookings),
            new PrintStream(log, true, UTF_8),
            interceptors);
    channel = NettyChannelBuilder.forAddress("127.0.0.1", server.start()).usePlaintext().build();
    hotels = HotelServiceGrpc.newBlockingStub(channel);
  }

  String log() {
    return log.toString(UTF_8);
  }

  @Override
  public void close() {
    channel.shutdownNow();
    stop(Duration.ZERO);
  }

  void stop(Duration grace) {
    try {
      server.stop(grace);
    } catch (InterruptedException error) {
      throw new AssertionError(error);
    }
  }

  /** What the call fails with, which must be of that code. */
  static StatusRuntimeException failure(Status.Code code, Executable call) {
    StatusRuntimeException failure = assertThrows(StatusRuntimeException.class, call);
    assertEquals(code, failure.getStatus().getCode(), failure.getMessage());
    return failure;
  }

  /** The violations that the call is refused for: field → description. */
  static Map<String, String> violations(Executable call) {
    StatusRuntimeException failure = failure(Status.Code.INVALID_ARGUMENT, call);
    Map<String, String> violations = new TreeMap<>();
    detail(failure, BadRequest.class)
        .getFieldViolationsList()
        .forEach(each -> violations.put(each.getField(), each.getDescription()));
    return violations;
  }

  static <T extends Message> T detail(StatusRuntimeException failure, Class<T> type) {
    try {
      for (Any detail : StatusProto.fromThrowable(failure).getDetailsList()) {
        if (detail.is(type)) {
          return detail.unpack(type);
        }
      }
    } catch (InvalidProtocolBufferException error) {
      throw new AssertionError(error);
    }
    throw new AssertionError("no " + type.getSimpleName() + " in " + failure.getMessage());
  }
}
