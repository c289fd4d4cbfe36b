package service

import (
	"fmt"
	"time"

	"stocks/internal/directory"
	"stocks/internal/failures"
	"stocks/internal/prices"
)

// How long exchanges close at most: the longest holidays, with the weekends around them. A day farther from any
// trading day is not one without trading, but one of which nothing is known.
const longestPause = 14 * 24 * time.Hour

// on finds the prices of a day, or of the latest one: those of the trading day itself or of the one before it, and a
// note where it is another day than the one meant.
func (f found) on(date *time.Time) (int, string, error) {
	if date == nil {
		return f.latest()
	}
	at := f.Last(*date)
	switch {
	case date.After(f.now()):
		return 0, "", failures.InvalidArgument(inFuture("date", *date, f))
	case at < 0:
		return 0, "", failures.InvalidArgument(beforeFirst("date", *date, f))
	case date.Sub(f.Days[at].Date) > longestPause:
		return 0, "", failures.InvalidArgument(farFromPrices("date", *date, f))
	}
	return at, f.why(*date, at), nil
}

// latest is the newest day of all, however long ago: its date and the note tell.
func (f found) latest() (int, string, error) {
	at := len(f.Days) - 1
	if f.now().Sub(f.last()) > longestPause {
		return at, f.end(), nil
	}
	return at, f.why(f.now(), at), nil
}

// why says why the day at a place stands for a date; nothing where it is that day.
func (f found) why(date time.Time, at int) string {
	shown := f.Days[at].Date
	if shown.Equal(date) {
		return ""
	}
	reason := "had no trading"
	switch {
	case directory.Weekend(date):
		reason = "is without trading"
	case date.Equal(f.today):
		reason = "has no closing price yet"
	}
	return fmt.Sprintf("%s %s: these are the prices of the trading day before, %s.", spelled(date), reason, spelled(shown))
}

// between finds the trading days from start to end; without a start, the last `count` up to the end. What lies outside
// of what is known is left out, and the note says so.
func (f found) between(start, end *time.Time, count int) ([]prices.Day, string, error) {
	from, to, note := 0, len(f.Days), ""
	if end != nil {
		to = f.Last(*end) + 1
	}
	if end != nil && end.After(f.last()) || f.now().Sub(f.last()) > longestPause {
		note = f.end()
	}
	if start == nil {
		from = max(0, to-count)
	} else {
		from = f.First(*start)
		if start.Before(f.Days[0].Date) {
			note = sentences(note, fmt.Sprintf("The prices begin with %s.", spelled(f.Days[0].Date)))
		}
	}
	switch {
	case start != nil && start.After(f.now()):
		return nil, "", failures.InvalidArgument(inFuture("start_date", *start, f))
	case to == 0:
		return nil, "", failures.InvalidArgument(beforeFirst("end_date", *end, f))
	case from >= to:
		return nil, "", failures.InvalidArgument(noTradingDay(*start, f))
	case to-from > MaxDays:
		return nil, "", failures.InvalidArgument(tooMany(f.Days[from:to]))
	}
	return f.Days[from:to], note, nil
}

// now is the date at the exchange, or that of the newest price where the clock is behind it.
func (f found) now() time.Time {
	if f.last().After(f.today) {
		return f.last()
	}
	return f.today
}

func (f found) end() string {
	return fmt.Sprintf("The prices end with %s.", spelled(f.last()))
}

func (f found) last() time.Time {
	return f.Days[len(f.Days)-1].Date
}
