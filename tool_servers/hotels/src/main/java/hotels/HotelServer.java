package hotels;

import hotels.v1.HotelServiceGrpc;
import hotels.v1.HotelsProto;
import io.grpc.BindableService;
import io.grpc.Server;
import io.grpc.ServerInterceptor;
import io.grpc.ServerInterceptors;
import io.grpc.ServerServiceDefinition;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.protobuf.services.HealthStatusManager;
import io.grpc.protobuf.services.ProtoReflectionServiceV1;
import java.io.IOException;
import java.io.PrintStream;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/** The hotel service at an address, with health and reflection beside it, until it is stopped. */
final class HotelServer {
  private static final int MOST_THREADS = 64;
  private static final int MOST_CALLS_PER_CONNECTION = 100;
  private static final int MOST_REQUEST_BYTES = 64 * 1024;

  private final HealthStatusManager health = new HealthStatusManager();
  private final EndableCalls calls = new EndableCalls();
  private final ExecutorService threads = threads();
  private final Server server;

  /** The interceptors see only calls that keep the rules of the .proto. */
  HotelServer(
      InetSocketAddress address,
      HotelService hotels,
      PrintStream log,
      ServerInterceptor... interceptors) {
    server =
        NettyServerBuilder.forAddress(address)
            .executor(threads)
            .maxInboundMessageSize(MOST_REQUEST_BYTES)
            .maxConcurrentCallsPerConnection(MOST_CALLS_PER_CONNECTION)
            // Long-lived clients come back through name resolution now and then: load stays even.
            .maxConnectionAge(30, TimeUnit.MINUTES)
            .maxConnectionAgeGrace(30, TimeUnit.SECONDS)
            .permitKeepAliveTime(10, TimeUnit.SECONDS)
            .permitKeepAliveWithoutCalls(true)
            .addService(answered(Described.service(hotels.bindService()), log, interceptors))
            .addService(ServerInterceptors.intercept(health.getHealthService(), calls))
            .addService(ServerInterceptors.intercept(ProtoReflectionServiceV1.newInstance(), calls))
            .addService(ServerInterceptors.intercept(reflectionV1Alpha(), calls))
            .build();
  }

  private ServerServiceDefinition answered(
      ServerServiceDefinition service, PrintStream log, ServerInterceptor... interceptors) {
    List<ServerInterceptor> ofRequests = new ArrayList<>();
    ofRequests.add(new RuleCheck(HotelsProto.getDescriptor()));
    ofRequests.addAll(List.of(interceptors));
    ofRequests.add(new WantedCalls());
    // The outer ones see bytes: what cannot be read as a request is answered and logged, too.
    return ServerInterceptors.interceptForward(
        ServerInterceptors.useInputStreamMessages(
            ServerInterceptors.interceptForward(service, ofRequests)),
        new CallLog(log),
        calls,
        new FailureAnswers(log));
  }

  /** Listens, and returns the port; throws where the address cannot be had. */
  int start() throws IOException {
    server.start();
    health.setStatus(HotelServiceGrpc.SERVICE_NAME, ServingStatus.SERVING);
    return server.getPort();
  }

  /** Waits until it has stopped: its own threads keep no program running. */
  void await() throws InterruptedException {
    server.awaitTermination();
  }

  /** Says NOT_SERVING, refuses new calls, and gives those in flight the grace to end. */
  void stop(Duration grace) throws InterruptedException {
    if (!server.isShutdown()) {
      health.enterTerminalState();
      server.shutdown();
    }
    calls.endStreams();
    if (!server.awaitTermination(grace.toMillis(), TimeUnit.MILLISECONDS)) {
      calls.endAll();
      server.awaitTermination(1, TimeUnit.SECONDS);
      server.shutdownNow();
    }
    threads.shutdownNow();
  }

  /** Many clients still ask for it. */
  @SuppressWarnings("deprecation")
  private static BindableService reflectionV1Alpha() {
    return io.grpc.protobuf.services.ProtoReflectionService.newInstance();
  }

  private static ExecutorService threads() {
    ThreadPoolExecutor threads =
        new ThreadPoolExecutor(
            MOST_THREADS, MOST_THREADS, 30, TimeUnit.SECONDS, new LinkedBlockingQueue<>());
    threads.allowCoreThreadTimeOut(true);
    return threads;
  }
}
