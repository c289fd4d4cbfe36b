package hotels;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.type.Money;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

final class InventoryTest {
  private final Cities cities = Cities.load();

  @Test
  void itHasHotelsInFiftyCitiesOfEveryKind() {
    Inventory inventory = new Inventory(cities, 1);

    assertTrue(cities.all().size() >= 50);
    for (City city : cities.all()) {
      List<Listing> listings = inventory.in(city);
      assertEquals(Inventory.HOTELS_PER_CITY, listings.size());
      Set<Integer> stars = new TreeSet<>();
      for (Listing listing : listings) {
        stars.add(listing.hotel().getStars());
        Money price = listing.hotel().getNightlyPrice();
        assertEquals(city.currency(), price.getCurrencyCode());
        assertTrue(price.getUnits() > 0);
        assertEquals(listing, inventory.find(listing.id()).orElseThrow());
      }
      assertEquals(Set.of(2, 3, 4, 5), stars);
    }
  }

  @Test
  void itIsTheSameForTheSameSeedOnly() {
    City paris = cities.find("Paris").orElseThrow();
    List<Listing> listings = new Inventory(cities, 1).in(paris);

    assertEquals(listings, new Inventory(cities, 1).in(paris));
    assertEquals(listings, new Inventory(new Cities(List.of(paris)), 1).in(paris));
    assertNotEquals(listings, new Inventory(cities, 2).in(paris));
  }

  @Test
  void aRegionThatACityDoesNotLieInNamesAnotherCity() {
    assertTrue(cities.find("Paris, France").isPresent());
    assertTrue(cities.find("Paris, Texas").isEmpty());
    assertTrue(cities.find(",").isEmpty());
  }

  @Test
  void everyNameOfACityIsItsOwn() {
    for (City city : cities.all()) {
      for (List<String> names : List.of(city.names(), city.chinese())) {
        names.forEach(name -> assertEquals(city, cities.find(name).orElseThrow(), name));
      }
    }
  }
}
