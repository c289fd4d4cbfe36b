package hotels;

import static java.util.stream.Collectors.joining;

import com.google.protobuf.Any;
import com.google.protobuf.Message;
import com.google.rpc.BadRequest;
import com.google.rpc.BadRequest.FieldViolation;
import com.google.rpc.Code;
import com.google.rpc.ErrorInfo;
import com.google.rpc.PreconditionFailure;
import com.google.rpc.QuotaFailure;
import com.google.rpc.ResourceInfo;
import com.google.rpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import java.util.List;
import java.util.Map;

/** What went wrong, as the status that tells a model, with details that a program can read. */
final class Failures {
  private static final String DOMAIN = "hotels.v1.HotelService";

  /** What clients take of a status, 8 KiB, holds no more of them. */
  private static final int MOST_VIOLATIONS = 12;

  private Failures() {}

  /** The fields of the request are wrong. */
  static StatusRuntimeException badRequest(List<FieldViolation> violations) {
    List<FieldViolation> told = violations.subList(0, Math.min(violations.size(), MOST_VIOLATIONS));
    String message =
        told.stream()
            .map(each -> each.getField() + ": " + each.getDescription())
            .collect(joining("; "));
    return failure(
        Code.INVALID_ARGUMENT,
        message,
        BadRequest.newBuilder().addAllFieldViolations(told).build());
  }

  /** There is no hotel of that id. */
  static StatusRuntimeException unknownHotel(String id, List<Listing> nearest) {
    String cure =
        nearest.isEmpty()
            ? "give an id that SearchHotels lists"
            : "the nearest are " + labels(nearest);
    return unknown("hotel", id, cure, "HOTEL_NOT_FOUND");
  }

  /** There is no booking of that id. Nothing is said of others, which may be other people's. */
  static StatusRuntimeException unknownBooking(String id) {
    return unknown("booking", id, "give the id that BookRoom returned", "BOOKING_NOT_FOUND");
  }

  /** No room is left in a night of the stay. */
  static StatusRuntimeException soldOut(
      Listing listing, List<String> fullNights, List<Listing> alternatives) {
    String fact =
        "hotel %s has no room left in the night of %s"
            .formatted(Text.quote(listing.id()), String.join(", ", fullNights));
    String cure =
        alternatives.isEmpty()
            ? "no other hotel of %s has one for the whole stay: ask for other dates"
                .formatted(listing.city().name())
            : "for the whole stay there are rooms in " + labels(alternatives);
    Map<String, String> metadata =
        Map.of(
            "hotel_id", listing.id(),
            "full_nights", String.join(",", fullNights),
            "alternatives", alternatives.stream().map(Listing::id).collect(joining(",")));
    return precondition("SOLD_OUT", listing.id(), fact + "; " + cure, metadata);
  }

  /** The stay of the booking has begun. */
  static StatusRuntimeException tooLateToCancel(String id, String checkIn) {
    String message =
        "the stay of booking %s began on %s, it cannot be cancelled after that day: ask the hotel"
            .formatted(Text.quote(id), checkIn);
    return precondition("STAY_HAS_BEGUN", id, message, Map.of("check_in", checkIn));
  }

  /** The store holds as many bookings as it may. */
  static StatusRuntimeException tooManyBookings(int most) {
    String message =
        "the service holds %d bookings, and that is the most: cancel one first, then book again"
            .formatted(most);
    QuotaFailure.Violation violation =
        QuotaFailure.Violation.newBuilder().setSubject("bookings").setDescription(message).build();
    return failure(
        Code.RESOURCE_EXHAUSTED,
        message,
        reason("TOO_MANY_BOOKINGS", Map.of("most", Integer.toString(most))),
        QuotaFailure.newBuilder().addViolations(violation).build());
  }

  /** A bug: no word of what it was, but the number under which the log has it. */
  static StatusRuntimeException unexpected(String incident) {
    return failure(
        Code.INTERNAL,
        "the hotel service failed; its log has the cause under incident " + incident,
        reason("UNEXPECTED", Map.of("incident", incident)));
  }

  private static StatusRuntimeException unknown(
      String kind, String id, String cure, String reason) {
    return failure(
        Code.NOT_FOUND,
        "there is no %s %s; %s".formatted(kind, Text.quote(id), cure),
        reason(reason, Map.of("id", id)),
        ResourceInfo.newBuilder()
            .setResourceType(kind)
            .setResourceName(id)
            .setDescription(cure)
            .build());
  }

  private static StatusRuntimeException precondition(
      String type, String subject, String message, Map<String, String> metadata) {
    return failure(
        Code.FAILED_PRECONDITION,
        message,
        reason(type, metadata),
        PreconditionFailure.newBuilder()
            .addViolations(
                PreconditionFailure.Violation.newBuilder()
                    .setType(type)
                    .setSubject(subject)
                    .setDescription(message))
            .build());
  }

  private static String labels(List<Listing> listings) {
    return listings.stream().map(Listing::label).collect(joining(", "));
  }

  private static ErrorInfo reason(String reason, Map<String, String> metadata) {
    return ErrorInfo.newBuilder()
        .setReason(reason)
        .setDomain(DOMAIN)
        .putAllMetadata(metadata)
        .build();
  }

  private static StatusRuntimeException failure(Code code, String message, Message... details) {
    Status.Builder status = Status.newBuilder().setCode(code.getNumber()).setMessage(message);
    for (Message detail : details) {
      status.addDetails(Any.pack(detail));
    }
    return StatusProto.toStatusRuntimeException(status.build());
  }
}
