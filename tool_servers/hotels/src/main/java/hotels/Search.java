package hotels;

import com.google.type.Money;
import hotels.v1.Offer;
import hotels.v1.SearchHotelsRequest;
import hotels.v1.SearchHotelsResponse;
import java.time.Clock;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/** Finds the hotels of a city that fit and have a room. */
final class Search {
  private static final int DEFAULT_PAGE_SIZE = 5;
  private static final int MOST_NAMES = 3;

  private final Cities cities;
  private final Inventory inventory;
  private final Availability availability;
  private final Clock clock;

  Search(Cities cities, Inventory inventory, Availability availability, Clock clock) {
    this.cities = cities;
    this.inventory = inventory;
    this.availability = availability;
    this.clock = clock;
  }

  SearchHotelsResponse search(SearchHotelsRequest request) {
    Violations violations = new Violations();
    StayReader stays = new StayReader(violations);
    Optional<City> found = cities.find(request.getCity());
    Optional<Stay> stay;
    if (found.isPresent()) {
      City city = found.get();
      stay = stays.read(request.getCheckIn(), request.getCheckOut(), city, city.today(clock));
      checkCurrency(request, city, violations);
    } else {
      violations.add("city", unknownCity(request.getCity()));
      stay = stays.read(request.getCheckIn(), request.getCheckOut());
    }
    int offset = PageToken.offset(request, violations);
    violations.refuse();
    return page(request, found.orElseThrow(), stay.orElseThrow(), offset);
  }

  private SearchHotelsResponse page(SearchHotelsRequest request, City city, Stay stay, int offset) {
    List<Offer> offers = offers(request, city, stay);
    int size = request.hasPageSize() ? request.getPageSize() : DEFAULT_PAGE_SIZE;
    int from = Math.min(offset, offers.size());
    int to = Math.min(from + size, offers.size());
    return SearchHotelsResponse.newBuilder()
        .addAllOffers(offers.subList(from, to))
        .setNextPageToken(to < offers.size() ? PageToken.of(request, to) : "")
        .setTotalSize(offers.size())
        .setCity(city.name())
        .setSource(Inventory.SOURCE)
        .build();
  }

  private List<Offer> offers(SearchHotelsRequest request, City city, Stay stay) {
    return inventory.in(city).stream()
        .filter(listing -> fits(listing, request))
        .map(listing -> offer(listing, stay))
        .filter(offer -> offer.getRoomsLeft() > 0)
        .sorted(
            Comparator.comparing((Offer offer) -> offer.getTotalPrice().getUnits())
                .thenComparing(offer -> offer.getHotel().getId()))
        .toList();
  }

  private static boolean fits(Listing listing, SearchHotelsRequest request) {
    boolean affordable =
        !request.hasMaxNightlyPrice()
            || listing.nightlyPrice() <= request.getMaxNightlyPrice().getUnits();
    return affordable
        && listing.hotel().getMaxGuests() >= request.getGuests()
        && listing.hotel().getStars() >= request.getMinStars()
        && listing.hotel().getAmenitiesList().containsAll(request.getAmenitiesList());
  }

  private Offer offer(Listing listing, Stay stay) {
    return Offer.newBuilder()
        .setHotel(listing.hotel().toBuilder().clearSource())
        .setNights(stay.nights())
        .setTotalPrice(Bookings.totalPrice(listing, stay))
        .setRoomsLeft(availability.roomsLeft(listing, stay))
        .build();
  }

  /** Other hotels of the city that have a room for the whole stay, the nearest in price first. */
  List<Listing> alternatives(Listing listing, Stay stay, int guests) {
    return inventory.in(listing.city()).stream()
        .filter(other -> !other.equals(listing) && other.hotel().getMaxGuests() >= guests)
        .filter(other -> availability.roomsLeft(other, stay) > 0)
        .sorted(
            Comparator.comparing(other -> Math.abs(other.nightlyPrice() - listing.nightlyPrice())))
        .limit(MOST_NAMES)
        .toList();
  }

  private static void checkCurrency(SearchHotelsRequest request, City city, Violations violations) {
    Money price = request.getMaxNightlyPrice();
    if (!price.getCurrencyCode().isEmpty() && !price.getCurrencyCode().equals(city.currency())) {
      violations.add(
          "max_nightly_price.currency_code",
          "%s is not the currency of the prices in %s: give the price in %s"
              .formatted(
                  Text.quote(price.getCurrencyCode()), city.name(), Text.quote(city.currency())));
    }
  }

  private String unknownCity(String name) {
    List<City> nearest = cities.nearest(name, MOST_NAMES);
    String fact = "there are no hotels of %s here: ".formatted(Text.quote(name));
    return nearest.isEmpty()
        ? fact
            + "no known city looks like it, give one of "
            + cities.all().stream().map(City::name).collect(Collectors.joining(", "))
        : fact
            + "the nearest names are "
            + nearest.stream().map(City::bilingual).collect(Collectors.joining(", "));
  }
}
