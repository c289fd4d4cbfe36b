package hotels;

import hotels.v1.Hotel;

/**
 * A hotel as it is listed.
 *
 * @param rooms how many rooms it lets, all alike
 */
record Listing(Hotel hotel, City city, int rooms) {

  String id() {
    return hotel.getId();
  }

  long nightlyPrice() {
    return hotel.getNightlyPrice().getUnits();
  }

  /** {@code "shanghai-2" (Jing'an Willow Hotel, CNY 480 a night)}. */
  String label() {
    return "%s (%s, %s %d a night)"
        .formatted(Text.quote(id()), hotel.getName(), city.currency(), nightlyPrice());
  }
}
