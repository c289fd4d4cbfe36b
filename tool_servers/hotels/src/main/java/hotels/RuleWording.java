package hotels;

import build.buf.protovalidate.Violation;
import build.buf.validate.FieldPathElement;
import java.util.List;
import java.util.Map;

/** Words a broken rule for a model: the value, what is wrong with it, and what to give instead. */
final class RuleWording {
  private static final String DATE = "give a date as YYYY-MM-DD, e.g. \"2026-03-01\"";
  private static final String HOTEL = "give the id of a hotel that SearchHotels lists";
  private static final String BOOKING = "give the id that BookRoom returned, e.g. \"HB-7K2M9QXD\"";

  /** By the name of the field. */
  private static final Map<String, String> CURES =
      Map.ofEntries(
          Map.entry("city", "give a city, e.g. \"Shanghai\" or \"上海\""),
          Map.entry("check_in", DATE),
          Map.entry("check_out", DATE),
          Map.entry("guests", "give 1 to 4, or leave it out for 1"),
          Map.entry(
              "max_nightly_price", "give a price, e.g. {\"units\": \"600\"}, or leave it out"),
          Map.entry("min_stars", "give 1 to 5, or leave it out for any"),
          Map.entry("amenities", "give names like \"AMENITY_WIFI\", each once"),
          Map.entry("page_size", "give 1 to 20, or leave it out for 5"),
          Map.entry("page_token", "give the next_page_token of the page before, or leave it out"),
          Map.entry("hotel_id", HOTEL),
          Map.entry("guest_name", "give the guest's full name, e.g. \"Wang Fang\""),
          Map.entry("request_id", "give a new random UUID, or leave it out"),
          Map.entry("booking_id", BOOKING));

  private RuleWording() {}

  /** {@code amenities[1]}. */
  static String path(Violation violation) {
    StringBuilder path = new StringBuilder();
    for (FieldPathElement element : elements(violation)) {
      path.append(path.isEmpty() ? "" : ".").append(element.getFieldName());
      if (element.hasIndex()) {
        path.append('[').append(element.getIndex()).append(']');
      }
    }
    return path.toString();
  }

  /** {@code "tomorrow" does not have the right form: give a date as YYYY-MM-DD, e.g. …}. */
  static String description(Violation violation) {
    String field = elements(violation).get(0).getFieldName();
    return fact(violation) + ": " + CURES.get(field);
  }

  private static String fact(Violation violation) {
    if (violation.getFieldValue() == null) {
      // A rule in CEL has its own words, and no value.
      return violation.toProto().getMessage();
    }
    Object value = violation.getFieldValue().getValue();
    if (value.equals("")) {
      return "it is missing or empty";
    }
    boolean shown = value instanceof String || value instanceof Number;
    return (shown ? Text.quote(value) : "it") + " " + problem(violation.toProto());
  }

  private static String problem(build.buf.validate.Violation violation) {
    return switch (violation.getRuleId()) {
      case "string.pattern" -> "does not have the right form";
      case "int32.gte_lte" -> "is out of range";
      case "repeated.unique" -> "has the same one twice";
      case "enum.defined_only", "enum.not_in" -> "is none that can be asked for";
      default -> violation.getMessage();
    };
  }

  private static List<FieldPathElement> elements(Violation violation) {
    return violation.toProto().getField().getElementsList();
  }
}
