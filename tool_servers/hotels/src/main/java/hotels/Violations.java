package hotels;

import com.google.rpc.BadRequest.FieldViolation;
import java.util.ArrayList;
import java.util.List;

/** What is wrong with the fields of a request, gathered so that it is told all at once. */
final class Violations {
  private final List<FieldViolation> all = new ArrayList<>();

  void add(String field, String description) {
    all.add(FieldViolation.newBuilder().setField(field).setDescription(description).build());
  }

  /** Refuses the request if there are any. */
  void refuse() {
    if (!all.isEmpty()) {
      throw Failures.badRequest(all);
    }
  }
}
