package service

import (
	"fmt"
	"strings"
	"time"

	"stocks/internal/directory"
	"stocks/internal/failures"
	"stocks/internal/prices"
)

func unknownStock(query string, nearest []*directory.Stock) failures.Violation {
	cure := `no known name looks like it; send another name of the company, or its ticker, such as "600519.SS", "0700.HK" or "AAPL"`
	switch len(nearest) {
	case 0:
	case 1:
		cure = fmt.Sprintf("the nearest is %s; send %q if it is meant", nearest[0].Label(), nearest[0].Ticker)
	default:
		cure = fmt.Sprintf("the nearest are %s; send the ticker of the one that is meant", labels(nearest))
	}
	return failures.Violation{
		Field: "query", Reason: "STOCK_UNKNOWN", Description: fmt.Sprintf("no stock is known here as %q: %s", query, cure),
	}
}

func noPricesYet(stock *directory.Stock) failures.Violation {
	return failures.Violation{
		Field: "query", Reason: "NO_PRICES_YET",
		Description: fmt.Sprintf("%s has no prices yet; send another stock", stock.Label()),
	}
}

func noSuchDay(field, text string) failures.Violation {
	return failures.Violation{
		Field: field, Reason: "DATE_INVALID",
		Description: fmt.Sprintf("%q is no day of the calendar; send one that is, as YYYY-MM-DD", text),
	}
}

func inFuture(field string, date time.Time, stock found) failures.Violation {
	return failures.Violation{
		Field: field, Reason: "DATE_IN_FUTURE",
		Description: fmt.Sprintf("%s is in the future; the latest trading day of %s is %s: send a day up to it, or leave %s out",
			spelled(date), stock.Ticker, spelled(stock.last()), field),
	}
}

func beforeFirst(field string, date time.Time, stock found) failures.Violation {
	return failures.Violation{
		Field: field, Reason: "DATE_BEFORE_FIRST",
		Description: fmt.Sprintf("%s is before the first prices of %s; they begin on %s: send that day or a later one",
			spelled(date), stock.Ticker, spelled(stock.Days[0].Date)),
	}
}

func farFromPrices(field string, date time.Time, stock found) failures.Violation {
	return failures.Violation{
		Field: field, Reason: "DATE_WITHOUT_PRICES",
		Description: fmt.Sprintf("there are no prices of %s near %s; send %s", stock.Ticker, spelled(date), stock.neighbours(date)),
	}
}

func noTradingDay(start time.Time, stock found) failures.Violation {
	return failures.Violation{
		Field: "start_date", Reason: "RANGE_WITHOUT_PRICES",
		Description: fmt.Sprintf("there are no prices of %s from %s to the end of the range; send a range with %s in it",
			stock.Ticker, spelled(start), stock.neighbours(start)),
	}
}

func tooMany(days []prices.Day) failures.Violation {
	return failures.Violation{
		Field: "start_date", Reason: "RANGE_TOO_LONG",
		Description: fmt.Sprintf("the range has %d trading days, and at most %d fit into one answer; send a start_date from %s on, and ask for the earlier days in another call",
			len(days), MaxDays, days[len(days)-MaxDays].Date.Format(time.DateOnly)),
	}
}

// neighbours names the days with prices on both sides of a date.
func (f found) neighbours(date time.Time) string {
	var days []string
	if before := f.Last(date); before >= 0 {
		days = append(days, spelled(f.Days[before].Date))
	}
	if after := f.First(date); after < len(f.Days) {
		days = append(days, spelled(f.Days[after].Date))
	}
	return strings.Join(days, " or ")
}

func (f found) otherListings() string {
	if len(f.others) == 0 {
		return ""
	}
	listings := make([]string, len(f.others))
	for i, stock := range f.others {
		listings[i] = fmt.Sprintf("%s (%s, %s)", stock.Ticker, stock.Exchange.Name, stock.Exchange.Currency)
	}
	return fmt.Sprintf("%s is also listed as %s; ask for that ticker to get its prices.", f.Names[0], strings.Join(listings, ", "))
}

func labels(stocks []*directory.Stock) string {
	words := make([]string, len(stocks))
	for i, stock := range stocks {
		words[i] = stock.Label()
	}
	return strings.Join(words, ", ")
}

// spelled tells the day of the week too, so that nobody has to work it out: 2026-03-02 (Monday).
func spelled(date time.Time) string {
	return date.Format("2006-01-02 (Monday)")
}

func sentences(parts ...string) string {
	return strings.TrimSpace(strings.Join(parts, " "))
}
