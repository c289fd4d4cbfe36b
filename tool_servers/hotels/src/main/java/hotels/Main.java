package hotels;

import io.grpc.ServerInterceptor;
import java.io.IOException;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.logging.Level;
import java.util.logging.Logger;

/**
 * Runs the hotel service.
 *
 * <pre>
 * make -C tool_servers/hotels build
 * java -Xmx256m -jar tool_servers/hotels/target/hotels.jar   # hotels: listening on 127.0.0.1:50054
 * </pre>
 *
 * It writes one line to stdout when it is ready; with port 0 that line tells which port it got. A
 * line for each call goes to stderr. SIGTERM and SIGINT stop it: it says NOT_SERVING, refuses new
 * calls, lets those in flight end, and exits with status 0. A wrong setting is exit status 2.
 */
public final class Main {
  private static final int WRONG_SETTING = 2;

  /** Held, or its level would be forgotten. */
  private static final Logger GRPC = Logger.getLogger("io.grpc");

  private Main() {}

  /** Serves until a signal comes. */
  public static void main(String[] arguments) {
    // Numbers and times look the same wherever it runs.
    Locale.setDefault(Locale.ROOT);
    // Who connects and speaks no gRPC is no news, with a stack trace each.
    GRPC.setLevel(Level.WARNING);
    List<String> words = Arrays.asList(arguments);
    if (words.contains("--help")) {
      System.out.print(Options.HELP);
      return;
    }
    try {
      serve(Options.read(words)).await();
    } catch (InterruptedException error) {
      Thread.currentThread().interrupt();
    } catch (Options.Wrong error) {
      System.err.println("hotels: " + error.getMessage());
      System.exit(WRONG_SETTING);
    }
  }

  private static HotelServer serve(Options options) throws Options.Wrong {
    HotelService hotels = new HotelService(options.clock(), HotelService.MOST_BOOKINGS);
    ServerInterceptor[] interceptors =
        options.delay().isZero()
            ? new ServerInterceptor[0]
            : new ServerInterceptor[] {new Delay(options.delay())};
    HotelServer server = new HotelServer(options.address(), hotels, System.err, interceptors);
    String name = options.address().getHostString();
    String host = name.contains(":") ? "[" + name + "]" : name;
    try {
      int port = server.start();
      stopAtSignal(server, options.grace());
      System.out.printf("hotels: listening on %s:%d%n", host, port);
      return server;
    } catch (IOException error) {
      throw new Options.Wrong(Options.cannotListen(host + ":" + options.address().getPort()));
    }
  }

  /** A JVM that a signal ends would exit with the signal's number: it is halted with 0 instead. */
  private static void stopAtSignal(HotelServer server, Duration grace) {
    Runnable stop =
        () -> {
          try {
            server.stop(grace);
            System.err.println("hotels: stopped");
          } catch (InterruptedException error) {
            Thread.currentThread().interrupt();
          }
          System.out.flush();
          Runtime.getRuntime().halt(0);
        };
    Runtime.getRuntime().addShutdownHook(new Thread(stop, "stop"));
  }
}
