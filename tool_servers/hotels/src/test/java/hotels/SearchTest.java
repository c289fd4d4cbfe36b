package hotels;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.type.Money;
import hotels.v1.Amenity;
import hotels.v1.GetHotelRequest;
import hotels.v1.Hotel;
import hotels.v1.Offer;
import hotels.v1.SearchHotelsRequest;
import hotels.v1.SearchHotelsResponse;
import io.grpc.Status;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class SearchTest {
  private TestServer server;

  @BeforeEach
  void start() throws IOException {
    server = new TestServer();
  }

  @AfterEach
  void stop() {
    server.close();
  }

  private static SearchHotelsRequest.Builder shanghai() {
    return SearchHotelsRequest.newBuilder()
        .setCity("Shanghai")
        .setCheckIn("2026-03-02")
        .setCheckOut("2026-03-04");
  }

  @Test
  void offersAreOfTheCityWithARoomAndTheCheapestFirst() {
    SearchHotelsResponse found = server.hotels.searchHotels(shanghai().setPageSize(20).build());

    List<Offer> offers = found.getOffersList();
    assertFalse(offers.isEmpty());
    assertEquals(offers.size(), found.getTotalSize());
    assertEquals("", found.getNextPageToken());
    assertTrue(found.getSource().startsWith("simulated"));
    long last = 0;
    for (Offer offer : offers) {
      assertEquals("Shanghai", offer.getHotel().getCity());
      assertTrue(offer.getRoomsLeft() > 0);
      assertEquals(2, offer.getNights());
      Money nightly = offer.getHotel().getNightlyPrice();
      assertEquals("CNY", nightly.getCurrencyCode());
      assertEquals(nightly.getUnits() * 2, offer.getTotalPrice().getUnits());
      assertTrue(last <= offer.getTotalPrice().getUnits());
      last = offer.getTotalPrice().getUnits();
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"shanghai", "上海", "上海市", "SHANGHAI, China", "上海，中国"})
  void aCityIsFoundByAnyOfItsNames(String name) {
    SearchHotelsRequest request = shanghai().setCity(name).build();

    assertEquals("Shanghai", server.hotels.searchHotels(request).getCity());
  }

  @Test
  void whatIsAskedForHolds() {
    SearchHotelsRequest request =
        shanghai()
            .setPageSize(20)
            .setGuests(3)
            .setMinStars(3)
            .setMaxNightlyPrice(Money.newBuilder().setUnits(1000))
            .addAmenities(Amenity.AMENITY_WIFI)
            .addAmenities(Amenity.AMENITY_GYM)
            .build();

    List<Offer> offers = server.hotels.searchHotels(request).getOffersList();

    assertFalse(offers.isEmpty());
    for (Offer offer : offers) {
      Hotel hotel = offer.getHotel();
      assertTrue(hotel.getMaxGuests() >= 3);
      assertTrue(hotel.getStars() >= 3);
      assertTrue(hotel.getNightlyPrice().getUnits() <= 1000);
      assertTrue(hotel.getAmenitiesList().containsAll(request.getAmenitiesList()));
    }
  }

  @Test
  void pagesTogetherAreTheWholeList() {
    SearchHotelsRequest all = shanghai().setPageSize(20).build();
    List<Offer> whole = server.hotels.searchHotels(all).getOffersList();
    List<Offer> read = new ArrayList<>();
    String token = "";
    do {
      SearchHotelsResponse page =
          server.hotels.searchHotels(shanghai().setPageSize(2).setPageToken(token).build());
      assertTrue(page.getOffersCount() <= 2);
      read.addAll(page.getOffersList());
      token = page.getNextPageToken();
    } while (!token.isEmpty());

    assertTrue(whole.size() > 2);
    assertEquals(whole, read);
  }

  @Test
  void aPageTokenOfAnotherSearchIsRefused() {
    String token = server.hotels.searchHotels(shanghai().setPageSize(1).build()).getNextPageToken();

    Map<String, String> violations =
        TestServer.violations(
            () ->
                server.hotels.searchHotels(
                    shanghai().setCity("Paris").setPageToken(token).build()));

    assertEquals(Set.of("page_token"), violations.keySet());
  }

  @Test
  void anUnknownCityIsToldWithNearNamesAndTheDatesAtOnce() {
    Map<String, String> violations =
        TestServer.violations(
            () ->
                server.hotels.searchHotels(
                    shanghai().setCity("Shanghia").setCheckIn("2026-02-30").build()));

    assertEquals(Set.of("city", "check_in"), violations.keySet());
    assertTrue(violations.get("city").contains("the nearest names are Shanghai (上海)"));
    assertTrue(violations.get("check_in").contains("\"2026-02-30\" is no day of the calendar"));
  }

  @Test
  void aCityLikeNoneIsToldWhichThereAre() {
    String told =
        TestServer.violations(() -> server.hotels.searchHotels(shanghai().setCity("Zzyzx").build()))
            .get("city");

    assertTrue(told.contains("give one of Beijing, Shanghai,"), told);
  }

  @Test
  void todayIsThatOfTheCity() {
    // It is still 28 February in Los Angeles when the clock has gone back to 1 March, 02:00 UTC.
    server.clock.goOn(java.time.Duration.ofHours(-8));
    SearchHotelsRequest request =
        shanghai().setCity("Los Angeles").setCheckIn("2026-02-28").build();

    assertEquals("Los Angeles", server.hotels.searchHotels(request).getCity());
    String told =
        TestServer.violations(
                () -> server.hotels.searchHotels(request.toBuilder().setCity("Tokyo").build()))
            .get("check_in");
    assertTrue(told.contains("in Tokyo it is \"2026-03-01\" today"), told);
  }

  @Test
  void aPriceInAnotherCurrencyIsToldTheCurrency() {
    Money dollars = Money.newBuilder().setCurrencyCode("USD").setUnits(90).build();

    Map<String, String> violations =
        TestServer.violations(
            () -> server.hotels.searchHotels(shanghai().setMaxNightlyPrice(dollars).build()));

    assertEquals(Set.of("max_nightly_price.currency_code"), violations.keySet());
    assertTrue(violations.toString().contains("give the price in \"CNY\""));
  }

  @Test
  void aListedHotelIsFoundByItsId() {
    Hotel listed = server.hotels.searchHotels(shanghai().build()).getOffers(0).getHotel();

    Hotel hotel =
        server.hotels.getHotel(GetHotelRequest.newBuilder().setHotelId(listed.getId()).build());

    assertEquals(listed, hotel.toBuilder().clearSource().build());
    assertTrue(hotel.getSource().startsWith("simulated"));
  }

  @Test
  void anUnknownHotelIsToldWithTheNearest() {
    String told =
        TestServer.failure(
                Status.Code.NOT_FOUND,
                () ->
                    server.hotels.getHotel(
                        GetHotelRequest.newBuilder().setHotelId("shanghai-99").build()))
            .getMessage();

    assertTrue(
        told.contains("there is no hotel \"shanghai-99\"; the nearest are \"shanghai-"), told);
  }
}
