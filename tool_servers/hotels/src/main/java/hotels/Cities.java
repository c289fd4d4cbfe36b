package hotels;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** The cities of cities.csv, found by any of their names. */
final class Cities {
  private final List<City> cities;
  private final Map<String, City> byName = new HashMap<>();

  Cities(List<City> cities) {
    this.cities = List.copyOf(cities);
    for (City city : cities) {
      for (String name : allNames(city)) {
        byName.put(Names.normalize(name), city);
      }
    }
  }

  /** Reads cities.csv, which lies beside the classes. */
  static Cities load() {
    try (var file = Cities.class.getResourceAsStream("cities.csv");
        var lines = new BufferedReader(new InputStreamReader(file, UTF_8))) {
      return new Cities(
          lines.lines().filter(line -> !line.startsWith("#")).map(Cities::read).toList());
    } catch (IOException error) {
      throw new UncheckedIOException(error);
    }
  }

  List<City> all() {
    return cities;
  }

  /** The city of that name. What follows a comma must be a place that the city lies in. */
  Optional<City> find(String name) {
    String[] parts = name.split("[,，]");
    if (parts.length == 0) {
      return Optional.empty();
    }
    String head = Names.normalize(parts[0]);
    City city = byName.getOrDefault(head, byName.get(head.replaceFirst("市$", "")));
    if (city == null) {
      return Optional.empty();
    }
    Set<String> places = new HashSet<>();
    city.regions().forEach(region -> places.add(Names.normalize(region)));
    places.add(Names.normalize(city.name()));
    boolean itLiesThere =
        Arrays.stream(parts).skip(1).map(Names::normalize).allMatch(places::contains);
    return itLiesThere ? Optional.of(city) : Optional.empty();
  }

  /** The cities with the names that look most like it, the nearest first. */
  List<City> nearest(String name, int limit) {
    return Names.nearest(name.replaceFirst("[,，].*", ""), cities, Cities::allNames, limit);
  }

  private static List<String> allNames(City city) {
    List<String> names = new ArrayList<>(city.names());
    names.addAll(city.chinese());
    return names;
  }

  private static City read(String line) {
    String[] cells = line.split(",");
    return new City(
        cell(cells[0]),
        cell(cells[1]),
        cell(cells[2]),
        ZoneId.of(cells[3]),
        cells[4],
        Integer.parseInt(cells[5]),
        cell(cells[6]));
  }

  private static List<String> cell(String text) {
    return List.of(text.split("\\|"));
  }
}
