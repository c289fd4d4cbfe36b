package hotels;

import static java.nio.charset.StandardCharsets.US_ASCII;

import hotels.v1.SearchHotelsRequest;
import java.util.Base64;

/** Where the next page begins, tied to the search that it belongs to. */
final class PageToken {
  private PageToken() {}

  /** The token of the page that begins at the offset. */
  static String of(SearchHotelsRequest request, int offset) {
    String text = offset + "." + Long.toHexString(searchOf(request));
    return Base64.getUrlEncoder().withoutPadding().encodeToString(text.getBytes(US_ASCII));
  }

  /**
   * Where the page that a request asks for begins; adds to the violations if its token is wrong.
   */
  static int offset(SearchHotelsRequest request, Violations violations) {
    String token = request.getPageToken();
    for (int offset = 1; offset < Inventory.HOTELS_PER_CITY && !token.isEmpty(); offset++) {
      if (token.equals(of(request, offset))) {
        return offset;
      }
    }
    if (!token.isEmpty()) {
      violations.add(
          "page_token",
          ("%s is no page of this search: give the next_page_token of the page before it, with all"
                  + " else as it was, or none")
              .formatted(Text.quote(token)));
    }
    return 0;
  }

  private static long searchOf(SearchHotelsRequest request) {
    SearchHotelsRequest search = request.toBuilder().clearPageToken().clearPageSize().build();
    return Mix.of(Base64.getEncoder().encodeToString(search.toByteArray()));
  }
}
