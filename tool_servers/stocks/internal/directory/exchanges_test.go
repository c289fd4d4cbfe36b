package directory

import (
	"testing"
	"time"
)

func TestLastSessionIsTheLastDayWhoseTradingHasEnded(t *testing.T) {
	for _, test := range []struct{ name, exchange, now, today, last string }{
		{"before the close in Shanghai", "SSE", "2026-03-04T06:59:00Z", "2026-03-04", "2026-03-03"},
		{"at the close in Shanghai", "SSE", "2026-03-04T07:00:00Z", "2026-03-04", "2026-03-04"},
		{"the evening in New York is the next day in Shanghai", "SSE", "2026-03-04T22:00:00Z", "2026-03-05", "2026-03-04"},
		{"the same evening in New York", "NYSE", "2026-03-04T22:00:00Z", "2026-03-04", "2026-03-04"},
		{"summer time in New York", "NASDAQ", "2026-07-01T20:00:00Z", "2026-07-01", "2026-07-01"},
		{"winter time in New York", "NASDAQ", "2026-01-07T20:59:00Z", "2026-01-07", "2026-01-06"},
		{"the day the clocks change", "NYSE", "2026-03-08T21:00:00Z", "2026-03-08", "2026-03-06"},
		{"Saturday", "HKEX", "2026-03-07T12:00:00Z", "2026-03-07", "2026-03-06"},
		{"Sunday", "HKEX", "2026-03-08T12:00:00Z", "2026-03-08", "2026-03-06"},
		{"Monday before the close", "TSE", "2026-03-09T02:00:00Z", "2026-03-09", "2026-03-06"},
		{"an exchange that is not known", "", "2026-03-09T02:00:00Z", "2026-03-09", "2026-03-09"},
	} {
		t.Run(test.name, func(t *testing.T) {
			now, err := time.Parse(time.RFC3339, test.now)
			if err != nil {
				t.Fatal(err)
			}
			exchange := named(test.exchange, "")
			if today := exchange.Today(now).Format(time.DateOnly); today != test.today {
				t.Errorf("today is %s, want %s", today, test.today)
			}
			if last := exchange.LastSession(now).Format(time.DateOnly); last != test.last {
				t.Errorf("the last session is %s, want %s", last, test.last)
			}
		})
	}
}
