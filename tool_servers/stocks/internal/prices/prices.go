// Package prices has the daily prices of stocks: generated ones, or those of a folder of CSV files.
package prices

import (
	"sort"
	"time"

	"stocks/internal/directory"
)

// Day is one trading day; its date is midnight UTC.
type Day struct {
	Date                   time.Time
	Open, High, Low, Close float64
	Volume                 int64
}

// Series is everything that is known of a stock's prices, oldest day first.
type Series struct {
	Days      []Day
	Simulated bool
	// Source says where they are from.
	Source string
}

// Source has a series for each stock of its directory.
type Source interface {
	Of(stock *directory.Stock) Series
}

// First returns the place of the first day on a date or after it; the number of days where there is none.
func (s Series) First(date time.Time) int {
	return sort.Search(len(s.Days), func(at int) bool { return !s.Days[at].Date.Before(date) })
}

// Last returns the place of the last day on a date or before it; -1 where there is none.
func (s Series) Last(date time.Time) int {
	return sort.Search(len(s.Days), func(at int) bool { return s.Days[at].Date.After(date) }) - 1
}
