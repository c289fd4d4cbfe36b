package server_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	stocksv1 "stocks/gen/stocks/v1"
	"stocks/internal/directory"
	"stocks/internal/prices"
	"stocks/internal/service"
)

func optional(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

func TestAQuoteHasTheDayTheChangeAndTheCurrency(t *testing.T) {
	client := generated(t, saturday)

	quote, err := client.GetQuote(t.Context(), &stocksv1.GetQuoteRequest{Query: "茅台", Date: proto.String("2026-11-20")})

	if err != nil {
		t.Fatal(err)
	}
	want := &stocksv1.Stock{Ticker: "600519.SS", Name: "Kweichow Moutai", ChineseName: "贵州茅台", Exchange: "Shanghai Stock Exchange", Currency: "CNY"}
	if !proto.Equal(quote.GetStock(), want) || quote.GetDay().GetDate() != "2026-11-20" || quote.GetNote() != "" || !quote.GetSimulated() {
		t.Errorf("the quote is %v", quote)
	}
	day := quote.GetDay()
	if day.GetLow() > min(day.GetOpen(), day.GetClose()) || day.GetHigh() < max(day.GetOpen(), day.GetClose()) || day.GetVolume() <= 0 {
		t.Errorf("the day is %v", day)
	}
	change := day.GetClose() - quote.GetPreviousClose()
	if difference := quote.GetChange() - change; difference > 0.001 || difference < -0.001 {
		t.Errorf("the change is %g, want %g", quote.GetChange(), change)
	}
}

func TestWhichDayAQuoteIsOf(t *testing.T) {
	evening := time.Date(2026, 3, 4, 22, 0, 0, 0, time.UTC) // the next morning in Shanghai
	for _, test := range []struct {
		name       string
		now        time.Time
		query      string
		date       string
		want, note string
	}{
		{"the latest, on a weekend", saturday, "AAPL", "", "2026-11-20", "2026-11-21 (Saturday) is without trading: these are the prices of the trading day before, 2026-11-20 (Friday)."},
		{"the latest, after the close", evening, "AAPL", "", "2026-03-04", ""},
		{"the latest, before the close", evening, "600519", "", "2026-03-04", "2026-03-05 (Thursday) has no closing price yet: these are the prices of the trading day before, 2026-03-04 (Wednesday)."},
		{"a trading day", saturday, "AAPL", "2026-11-18", "2026-11-18", ""},
		{"a Sunday", saturday, "AAPL", "2026-03-01", "2026-02-27", "2026-03-01 (Sunday) is without trading: these are the prices of the trading day before, 2026-02-27 (Friday)."},
		{"other listings", saturday, "Alibaba", "2026-11-20", "2026-11-20", "Alibaba is also listed as BABA (New York Stock Exchange, USD); ask for that ticker to get its prices."},
	} {
		t.Run(test.name, func(t *testing.T) {
			request := &stocksv1.GetQuoteRequest{Query: test.query, Date: optional(test.date)}
			quote, err := generated(t, test.now).GetQuote(t.Context(), request)
			if err != nil || quote.GetDay().GetDate() != test.want || quote.GetNote() != test.note {
				t.Errorf("day %s, note %q, %v; want day %s, note %q", quote.GetDay().GetDate(), quote.GetNote(), err, test.want, test.note)
			}
		})
	}
}

func TestAWrongQuoteSaysWhatToSend(t *testing.T) {
	client := generated(t, saturday)
	for _, test := range []struct {
		query, date string
		want        []string
		words       string
	}{
		{"Kweichow Motai", "", []string{"query STOCK_UNKNOWN"}, `no stock is known here as "Kweichow Motai": the nearest is 600519.SS (Kweichow Moutai, 贵州茅台); send "600519.SS" if it is meant`},
		{"APPL", "", []string{"query STOCK_UNKNOWN"}, "the nearest are AAPL (Apple, 苹果), "},
		{"qqqqqqqqqq", "", []string{"query STOCK_UNKNOWN"}, "no known name looks like it; send another name of the company, or its ticker"},
		{"  ", "", []string{"query STOCK_UNKNOWN"}, `no stock is known here as "  "`},
		{"AAPL", "2026-02-30", []string{"date DATE_INVALID"}, `"2026-02-30" is no day of the calendar`},
		{"AAPL", "2026-11-22", []string{"date DATE_IN_FUTURE"}, "the latest trading day of AAPL is 2026-11-20 (Friday)"},
		{"AAPL", "2010-01-03", []string{"date DATE_BEFORE_FIRST"}, "they begin on 2010-01-04 (Monday)"},
		{"CATL", "2018-06-10", []string{"date DATE_BEFORE_FIRST"}, "they begin on 2018-06-11 (Monday)"},
		{"APPL", "2026-02-30", []string{"query STOCK_UNKNOWN", "date DATE_INVALID"}, "AAPL"},
	} {
		t.Run(test.query+test.date, func(t *testing.T) {
			_, err := client.GetQuote(t.Context(), &stocksv1.GetQuoteRequest{Query: test.query, Date: optional(test.date)})
			if found := violations(t, err); !slices.Equal(found, test.want) {
				t.Errorf("the violations are %q, want %q", found, test.want)
			}
			if message := status.Convert(err).Message(); !strings.Contains(message, test.words) {
				t.Errorf("the message is %s, without %s", message, test.words)
			}
		})
	}
}

func TestWhichDaysAHistoryHas(t *testing.T) {
	client := generated(t, saturday)
	for _, test := range []struct {
		name, query, start, end string
		days                    int32
		count                   int
		first, last, note       string
	}{
		{"by default", "AAPL", "", "", 0, 20, "2026-10-26", "2026-11-20", ""},
		{"the last days", "AAPL", "", "", 3, 3, "2026-11-18", "2026-11-20", ""},
		{"days up to a Sunday", "AAPL", "", "2026-03-01", 2, 2, "2026-02-26", "2026-02-27", ""},
		{"a range", "AAPL", "2026-03-01", "2026-03-08", 0, 5, "2026-03-02", "2026-03-06", ""},
		{"one day", "AAPL", "2026-03-02", "2026-03-02", 0, 1, "2026-03-02", "2026-03-02", ""},
		{"from a day on", "AAPL", "2026-11-16", "", 0, 5, "2026-11-16", "2026-11-20", ""},
		{"beyond the end", "AAPL", "2026-11-19", "2026-12-31", 0, 2, "2026-11-19", "2026-11-20", "The prices end with 2026-11-20 (Friday)."},
		{"before the listing", "CATL", "2018-01-01", "2018-06-12", 0, 2, "2018-06-11", "2018-06-12", "The prices begin with 2018-06-11 (Monday)."},
		{"fewer days than asked for", "CATL", "", "2018-06-12", 250, 2, "2018-06-11", "2018-06-12", ""},
		{"as many as fit", "AAPL", "2025-12-08", "", 0, 250, "2025-12-08", "2026-11-20", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			request := &stocksv1.GetHistoryRequest{Query: test.query, StartDate: optional(test.start), EndDate: optional(test.end)}
			if test.days > 0 {
				request.Days = &test.days
			}
			history, err := client.GetHistory(t.Context(), request)
			if err != nil {
				t.Fatal(err)
			}
			days := history.GetDays()
			if len(days) != test.count || days[0].GetDate() != test.first || days[len(days)-1].GetDate() != test.last || history.GetNote() != test.note {
				t.Errorf("%d days, %s to %s, note %q", len(days), days[0].GetDate(), days[len(days)-1].GetDate(), history.GetNote())
			}
			if !history.GetSimulated() || history.GetStock().GetCurrency() == "" {
				t.Errorf("simulated %v, stock %v", history.GetSimulated(), history.GetStock())
			}
		})
	}
}

func TestAWrongHistorySaysWhatToSend(t *testing.T) {
	client := generated(t, saturday)
	for _, test := range []struct {
		query, start, end string
		want              []string
		words             string
	}{
		{"APPL", "2026-02-30", "2026-04-31", []string{"query STOCK_UNKNOWN", "start_date DATE_INVALID", "end_date DATE_INVALID"}, "AAPL"},
		{"AAPL", "2026-11-22", "", []string{"start_date DATE_IN_FUTURE"}, "is 2026-11-20 (Friday)"},
		{"AAPL", "", "2009-12-31", []string{"end_date DATE_BEFORE_FIRST"}, "they begin on 2010-01-04 (Monday)"},
		{"AAPL", "2026-03-07", "2026-03-08", []string{"start_date RANGE_WITHOUT_PRICES"}, "send a range with 2026-03-06 (Friday) or 2026-03-09 (Monday) in it"},
		{"AAPL", "2026-11-21", "", []string{"start_date RANGE_WITHOUT_PRICES"}, "send a range with 2026-11-20 (Friday) in it"},
		{"AAPL", "2025-12-05", "", []string{"start_date RANGE_TOO_LONG"}, "the range has 251 trading days, and at most 250 fit into one answer; send a start_date from 2025-12-08 on"},
	} {
		t.Run(test.query+test.start+test.end, func(t *testing.T) {
			request := &stocksv1.GetHistoryRequest{Query: test.query, StartDate: optional(test.start), EndDate: optional(test.end)}
			_, err := client.GetHistory(t.Context(), request)
			if found := violations(t, err); !slices.Equal(found, test.want) {
				t.Errorf("the violations are %q, want %q", found, test.want)
			}
			if message := status.Convert(err).Message(); !strings.Contains(message, test.words) {
				t.Errorf("the message is %s, without %s", message, test.words)
			}
		})
	}
}

// few has prices of some days only, all of them 1.
type few struct{ days []string }

func (f few) Of(*directory.Stock) prices.Series {
	var series prices.Series
	for _, text := range f.days {
		date, _ := time.Parse(time.DateOnly, text)
		series.Days = append(series.Days, prices.Day{Date: date, Open: 1, High: 1, Low: 1, Close: 1})
	}
	return series
}

func recorded(t *testing.T, days ...string) stocksv1.StockServiceClient {
	t.Helper()
	stock := &directory.Stock{Ticker: "ACME", Names: []string{"ACME"}}
	_, channel := start(t, &service.Service{
		Directory: directory.New([]*directory.Stock{stock}), Prices: few{days}, Now: func() time.Time { return saturday },
	}, quiet())
	return stocksv1.NewStockServiceClient(channel)
}

func TestPricesThatAreOldOrHaveGapsAreToldAsSuch(t *testing.T) {
	client := recorded(t, "2026-01-05", "2026-03-02")

	latest, err := client.GetQuote(t.Context(), &stocksv1.GetQuoteRequest{Query: "ACME"})
	if want := "The prices end with 2026-03-02 (Monday)."; err != nil || latest.GetNote() != want {
		t.Errorf("the note is %q, %v", latest.GetNote(), err)
	}
	holiday, err := client.GetQuote(t.Context(), &stocksv1.GetQuoteRequest{Query: "ACME", Date: proto.String("2026-01-19")})
	if err != nil || holiday.GetDay().GetDate() != "2026-01-05" || !strings.HasPrefix(holiday.GetNote(), "2026-01-19 (Monday) had no trading") {
		t.Errorf("the quote is %v, %v", holiday, err)
	}
	if holiday.PreviousClose != nil || holiday.Change != nil || holiday.ChangePercent != nil {
		t.Errorf("the first day has a change: %v", holiday)
	}
	_, err = client.GetQuote(t.Context(), &stocksv1.GetQuoteRequest{Query: "ACME", Date: proto.String("2026-01-20")})
	if found := violations(t, err); !slices.Equal(found, []string{"date DATE_WITHOUT_PRICES"}) {
		t.Errorf("the violations are %q", found)
	}
	if message := status.Convert(err).Message(); !strings.Contains(message, "send 2026-01-05 (Monday) or 2026-03-02 (Monday)") {
		t.Errorf("the message is %s", message)
	}
	history, err := client.GetHistory(t.Context(), &stocksv1.GetHistoryRequest{Query: "acme"})
	if err != nil || len(history.GetDays()) != 2 || history.GetNote() != "The prices end with 2026-03-02 (Monday)." {
		t.Errorf("the history is %v, %v", history, err)
	}
}

func TestAStockWithoutPricesIsNoFailure(t *testing.T) {
	_, err := recorded(t).GetQuote(t.Context(), &stocksv1.GetQuoteRequest{Query: "ACME"})

	if found := violations(t, err); !slices.Equal(found, []string{"query NO_PRICES_YET"}) {
		t.Errorf("the violations are %q", found)
	}
}

func TestPricesAfterTheClockAreBelieved(t *testing.T) {
	client := recorded(t, "2026-11-23", "2026-11-24")

	quote, err := client.GetQuote(t.Context(), &stocksv1.GetQuoteRequest{Query: "ACME", Date: proto.String("2026-11-24")})

	if err != nil || quote.GetDay().GetDate() != "2026-11-24" || quote.GetNote() != "" {
		t.Errorf("the quote is %v, %v", quote, err)
	}
}
