package hotels;

import com.google.type.Money;
import hotels.v1.Amenity;
import hotels.v1.Hotel;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;

/** The hotels: made up, the same ones for the same seed. */
final class Inventory {
  static final int HOTELS_PER_CITY = 8;
  static final String SOURCE = "simulated: these hotels do not exist, and nothing is really booked";

  private static final List<Integer> STARS = List.of(2, 3, 3, 3, 4, 4, 5, 5);
  private static final Map<Integer, Double> PRICE_FACTORS = Map.of(2, 0.6, 3, 1.0, 4, 1.6, 5, 2.7);
  private static final List<String> STREETS =
      List.of("Garden Street", "Station Road", "Bridge Street", "Market Street", "Lake Road");
  private static final List<String> WORDS =
      List.of("Lantern", "Willow", "Compass", "Juniper", "Linden", "Swallow", "Harvest", "Pearl");

  private final Map<String, Listing> byId = new LinkedHashMap<>();

  Inventory(Cities cities, long seed) {
    for (City city : cities.all()) {
      // A city's hotels are the same, whatever other cities there are.
      Random random = new Random(seed ^ Mix.of(city.name()));
      List<Integer> stars = new ArrayList<>(STARS);
      Collections.shuffle(stars, random);
      List<String> words = new ArrayList<>(WORDS);
      Collections.shuffle(words, random);
      for (int i = 0; i < HOTELS_PER_CITY; i++) {
        Hotel hotel = hotel(city, i + 1, stars.get(i), words.get(i), random);
        byId.put(hotel.getId(), new Listing(hotel, city, 2 + random.nextInt(7)));
      }
    }
  }

  Optional<Listing> find(String id) {
    return Optional.ofNullable(byId.get(id));
  }

  List<Listing> in(City city) {
    return byId.values().stream().filter(listing -> listing.city().equals(city)).toList();
  }

  /** The hotels with the ids or names that look most like it, the nearest first. */
  List<Listing> nearest(String idOrName, int limit) {
    return Names.nearest(
        idOrName,
        byId.values(),
        listing -> List.of(listing.id(), listing.hotel().getName()),
        limit);
  }

  private static Hotel hotel(City city, int number, int stars, String word, Random random) {
    String district = pick(city.districts(), random);
    double price = city.usualPrice() * PRICE_FACTORS.get(stars) * (0.8 + 0.4 * random.nextDouble());
    return Hotel.newBuilder()
        .setId(Names.normalize(city.name()) + "-" + number)
        .setName("%s %s Hotel".formatted(district, word))
        .setCity(city.name())
        .setCountry(city.country())
        .setAddress(
            "%d %s, %s, %s"
                .formatted(1 + random.nextInt(199), pick(STREETS, random), district, city.name()))
        .setStars(stars)
        .addAllAmenities(amenities(stars, random))
        .setNightlyPrice(
            Money.newBuilder().setCurrencyCode(city.currency()).setUnits(rounded(price)))
        .setMaxGuests(2 + random.nextInt(3))
        .setSource(SOURCE)
        .build();
  }

  /** Two leading digits and zeros, as prices are set: 1346 is 1300. */
  private static long rounded(double price) {
    double step = Math.pow(10, Math.max(0, Math.floor(Math.log10(price)) - 1));
    return (long) (Math.round(price / step) * step);
  }

  /** The more stars, the more of them. */
  private static EnumSet<Amenity> amenities(int stars, Random random) {
    EnumSet<Amenity> amenities = EnumSet.of(Amenity.AMENITY_WIFI);
    for (Amenity amenity : Amenity.values()) {
      boolean real = amenity != Amenity.AMENITY_UNSPECIFIED && amenity != Amenity.UNRECOGNIZED;
      if (real && random.nextInt(6) < stars) {
        amenities.add(amenity);
      }
    }
    return amenities;
  }

  private static <T> T pick(List<T> things, Random random) {
    return things.get(random.nextInt(things.size()));
  }
}
