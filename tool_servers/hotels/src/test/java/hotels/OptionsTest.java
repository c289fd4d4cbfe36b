package hotels;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.time.LocalDate;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class OptionsTest {
  @Test
  void theDefaults() throws Options.Wrong {
    Options options = Options.read(List.of());

    assertEquals("127.0.0.1", options.address().getHostString());
    assertEquals(50054, options.address().getPort());
    assertEquals(Duration.ofSeconds(10), options.grace());
    assertTrue(options.delay().isZero());
  }

  @Test
  void todayIsTheSameInEveryCity() throws Options.Wrong {
    Options options = Options.read(List.of("--today=2026-03-01", "--address", "[::1]:0"));

    assertEquals(
        "::1", options.address().getAddress().getHostAddress().replaceAll("^0(:0)*:", "::"));
    for (City city : Cities.load().all()) {
      assertEquals(LocalDate.of(2026, 3, 1), city.today(options.clock()), city.name());
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "--adress 127.0.0.1:0 | there is no option \"--adress\": give any of --address, --grace",
        "--address | option \"--address\" has no value",
        "--address nowhere | cannot listen on \"nowhere\": give a HOST:PORT",
        "--address 127.0.0.1:99999 | cannot listen on \"127.0.0.1:99999\"",
        "--grace soon | --grace \"soon\" is no number of seconds",
        "--grace=-1 | --grace \"-1\" is no number of seconds",
        "--delay NaN | --delay \"NaN\" is no number of seconds",
        "--today 2026-02-30 | --today \"2026-02-30\" is no day",
      })
  void aWrongSettingIsToldWithItsCure(String line, String told) {
    Options.Wrong wrong =
        assertThrows(Options.Wrong.class, () -> Options.read(Arrays.asList(line.split(" "))));

    assertTrue(wrong.getMessage().contains(told), wrong.getMessage());
  }
}
