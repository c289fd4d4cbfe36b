/** What to send in each field of the requests, told with every rule that is broken. */

/** By the field's name, which means the same in all requests. */
export const CURES = {
  origin: 'give a city or an IATA code, e.g. "Shanghai", "上海" or "PVG"',
  destination: 'give a city or an IATA code, e.g. "London", "伦敦" or "LHR"',
  date: 'give the day of departure, e.g. "2026-03-01"',
  cabin: "give CABIN_ECONOMY, CABIN_PREMIUM_ECONOMY, CABIN_BUSINESS or CABIN_FIRST, or leave it out",
  passengers: "give 1 to 9, or leave it out for 1; larger groups need several bookings",
  sort_order: "give SORT_ORDER_PRICE, SORT_ORDER_DEPARTURE_TIME or SORT_ORDER_DURATION, or leave it out",
  page_size: "give 1 to 50, or leave it out for 10",
  page_token: "copy next_page_token as it is, or leave it out for the first page",
  flight_id: "copy flight_id from a flight of SearchFlights",
  hold_id: "copy hold_id from HoldFlight",
  seats: "give hold_id or flight_id",
  passenger_names: 'give the full name of each passenger, 1 to 9 names, e.g. ["Wang Fang"]',
  request_id: 'give a UUID, e.g. "0b5ff3a6-5b0e-4d0c-9f3e-6a1f0f5e2d11", or leave it out',
  booking_id: 'copy booking_id from BookFlight, e.g. "7K2QXM"',
};
