package hotels;

import java.net.InetSocketAddress;
import java.time.Clock;
import java.time.Duration;
import java.time.LocalDate;
import java.time.LocalTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeParseException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What the command line asks for.
 *
 * @param delay how long to wait before each answer
 * @param clock tells the date that it is
 */
record Options(InetSocketAddress address, Duration grace, Duration delay, Clock clock) {
  static final String HELP =
      """
      Usage: java -Xmx256m -jar hotels.jar [OPTIONS]

      Serves hotels.v1.HotelService with a simulated inventory, and health and reflection beside it.

        --address HOST:PORT  where to listen (default: 127.0.0.1:50054); port 0 takes a free one
        --grace SECONDS      what calls in flight have to end after SIGTERM or SIGINT (default: 10)
        --delay SECONDS      wait before each answer, to see calls overlap (default: 0)
        --today DATE         take it to be that day, as YYYY-MM-DD (default: the real one)
        --help               tell this
      """;

  private static final List<String> NAMES = List.of("--address", "--grace", "--delay", "--today");
  private static final Pattern HOST_PORT = Pattern.compile("(.+):([0-9]{1,5})");
  private static final double MOST_SECONDS = 3600;

  /** At this time of the day in UTC it is the same date in all of our cities. */
  private static final LocalTime SAME_DATE_EVERYWHERE = LocalTime.of(10, 0);

  /** A setting is wrong, which the message says. */
  static final class Wrong extends Exception {
    private static final long serialVersionUID = 1;

    Wrong(String message) {
      super(message);
    }
  }

  static Options read(List<String> arguments) throws Wrong {
    Map<String, String> given = split(arguments);
    return new Options(
        address(given.getOrDefault("--address", "127.0.0.1:50054")),
        seconds("--grace", given.getOrDefault("--grace", "10")),
        seconds("--delay", given.getOrDefault("--delay", "0")),
        given.containsKey("--today") ? clock(given.get("--today")) : Clock.systemUTC());
  }

  /** Both {@code --name value} and {@code --name=value}. */
  private static Map<String, String> split(List<String> arguments) throws Wrong {
    Map<String, String> given = new HashMap<>();
    for (var rest = arguments.iterator(); rest.hasNext(); ) {
      String[] parts = rest.next().split("=", 2);
      if (!NAMES.contains(parts[0])) {
        throw new Wrong(
            "there is no option %s: give any of %s"
                .formatted(Text.quote(parts[0]), String.join(", ", NAMES)));
      }
      if (parts.length == 1 && !rest.hasNext()) {
        throw new Wrong("option \"%s\" has no value: give one after it".formatted(parts[0]));
      }
      given.put(parts[0], parts.length == 2 ? parts[1] : rest.next());
    }
    return given;
  }

  private static InetSocketAddress address(String text) throws Wrong {
    Matcher matcher = HOST_PORT.matcher(text);
    if (matcher.matches() && Integer.parseInt(matcher.group(2)) <= 65535) {
      String host = matcher.group(1).replaceAll("^\\[(.*)]$", "$1");
      InetSocketAddress address = new InetSocketAddress(host, Integer.parseInt(matcher.group(2)));
      if (!address.isUnresolved()) {
        return address;
      }
    }
    throw new Wrong(cannotListen(text));
  }

  static String cannotListen(Object address) {
    return "cannot listen on %s: give a HOST:PORT of this machine that is free"
        .formatted(Text.quote(address));
  }

  private static Duration seconds(String name, String text) throws Wrong {
    try {
      double seconds = Double.parseDouble(text);
      if (seconds >= 0 && seconds <= MOST_SECONDS) {
        return Duration.ofMillis(Math.round(seconds * 1000));
      }
    } catch (NumberFormatException error) {
      // Told below, with those that are out of range.
    }
    throw new Wrong(
        "%s %s is no number of seconds: give one from 0 to 3600".formatted(name, Text.quote(text)));
  }

  private static Clock clock(String text) throws Wrong {
    try {
      LocalDate today = LocalDate.parse(text);
      return Clock.fixed(
          today.atTime(SAME_DATE_EVERYWHERE).toInstant(ZoneOffset.UTC), ZoneOffset.UTC);
    } catch (DateTimeParseException error) {
      throw new Wrong("--today %s is no day: give one as YYYY-MM-DD".formatted(Text.quote(text)));
    }
  }
}
