package prices

import (
	"math"
	"slices"
	"testing"
	"time"

	"stocks/internal/directory"
)

func day(text string) time.Time {
	date, err := time.Parse(time.DateOnly, text)
	if err != nil {
		panic(err)
	}
	return date
}

func generated(now string) Generated {
	return Generated{Now: func() time.Time { return day(now) }}
}

func known(t *testing.T) []*directory.Stock {
	t.Helper()
	stocks, err := directory.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	return stocks
}

func TestADayHasTheSamePricesWheneverItIsAskedFor(t *testing.T) {
	for _, stock := range known(t) {
		early, late := generated("2025-06-02").Of(stock).Days, generated("2026-06-02").Of(stock).Days
		if len(early) >= len(late) || !slices.Equal(early, late[:len(early)]) {
			t.Errorf("%s: the days up to 2025-06-02 changed with the clock", stock.Ticker)
		}
	}
}

func TestStocksDoNotMoveTogether(t *testing.T) {
	stocks := known(t)
	a, b := generated("2026-06-02").Of(stocks[0]).Days, generated("2026-06-02").Of(stocks[1]).Days
	same := 0
	for i := 1; i < len(a); i++ {
		if (a[i].Close > a[i-1].Close) == (b[i].Close > b[i-1].Close) {
			same++
		}
	}
	if share := float64(same) / float64(len(a)); share > 0.6 || share < 0.4 {
		t.Errorf("two stocks went the same way on %.0f %% of the days", share*100)
	}
}

func TestGeneratedPricesArePlausible(t *testing.T) {
	for _, stock := range known(t) {
		series := generated("2026-06-02").Of(stock)
		if !series.Simulated {
			t.Fatalf("%s is not marked as simulated", stock.Ticker)
		}
		for i, each := range series.Days {
			switch {
			case directory.Weekend(each.Date):
				t.Fatalf("%s trades on %s", stock.Ticker, each.Date)
			case each.Low > min(each.Open, each.Close) || each.High < max(each.Open, each.Close) || each.Low <= 0 || each.Volume <= 0:
				t.Fatalf("%s: %+v", stock.Ticker, each)
			case each.Close < stock.Price/3 || each.Close > stock.Price*3:
				t.Fatalf("%s: %g is far from its level, %g", stock.Ticker, each.Close, stock.Price)
			case i > 0 && math.Abs(each.Close/series.Days[i-1].Close-1) > 0.1:
				t.Fatalf("%s moves more than 10 %% on %s", stock.Ticker, each.Date)
			}
		}
	}
}

func TestSeriesBeginWithTheListing(t *testing.T) {
	for _, stock := range known(t) {
		first := generated("2026-06-02").Of(stock).Days[0].Date
		if want := max(Begin.Unix(), stock.Listed.Unix()); first.Unix() != want {
			t.Errorf("%s begins on %s", stock.Ticker, first.Format(time.DateOnly))
		}
	}
}

func TestFirstAndLastFindTheDaysAroundADate(t *testing.T) {
	series := Series{Days: []Day{{Date: day("2026-03-05")}, {Date: day("2026-03-06")}, {Date: day("2026-03-09")}}}
	for _, test := range []struct {
		date        string
		first, last int
	}{
		{"2026-03-04", 0, -1}, {"2026-03-05", 0, 0}, {"2026-03-07", 2, 1}, {"2026-03-09", 2, 2}, {"2026-03-10", 3, 2},
	} {
		if first, last := series.First(day(test.date)), series.Last(day(test.date)); first != test.first || last != test.last {
			t.Errorf("%s: first %d, last %d, want %d and %d", test.date, first, last, test.first, test.last)
		}
	}
}
