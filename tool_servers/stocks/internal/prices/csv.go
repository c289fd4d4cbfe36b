package prices

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"stocks/internal/directory"
)

var columns = []string{"date", "open", "high", "low", "close", "volume"}

// readDays reads the days of one file, in any order, and returns them oldest first.
func readDays(source io.Reader, path string) ([]Day, error) {
	rows := csv.NewReader(source)
	rows.ReuseRecord = true
	header, err := rows.Read()
	if err != nil {
		return nil, fmt.Errorf("%w; write a first line %s", directory.Located(path, err), strings.Join(columns, ","))
	}
	at, err := places(header)
	if err != nil {
		return nil, fmt.Errorf("%s:1: %w", path, err)
	}
	var days []Day
	lines := map[time.Time]int{}
	for {
		row, err := rows.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, directory.Located(path, err)
		}
		line, _ := rows.FieldPos(0)
		day, err := readDay(row, at)
		if err == nil && lines[day.Date] != 0 {
			err = fmt.Errorf("%s is also the day of line %d; keep one", day.Date.Format(time.DateOnly), lines[day.Date])
		}
		if err == nil && len(days) == maxRows {
			err = fmt.Errorf("more than %d days; leave out the oldest", maxRows)
		}
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", path, line, err)
		}
		lines[day.Date] = line
		days = append(days, day)
	}
	if len(days) == 0 {
		return nil, fmt.Errorf("%s:2: there is no day; write at least one line of prices", path)
	}
	slices.SortFunc(days, func(a, b Day) int { return a.Date.Compare(b.Date) })
	return days, nil
}

// places returns where the columns are, in the order of `columns`.
func places(header []string) ([]int, error) {
	found := directory.Columns(header)
	at := make([]int, len(columns))
	for i, name := range columns {
		place, known := found[name]
		if !known {
			return nil, fmt.Errorf("there is no column %q; write a first line %s", name, strings.Join(columns, ","))
		}
		at[i] = place
	}
	return at, nil
}

func readDay(row []string, at []int) (Day, error) {
	cell := func(column int) string { return strings.TrimSpace(row[at[column]]) }
	date, err := time.Parse(time.DateOnly, cell(0))
	if err != nil {
		return Day{}, fmt.Errorf("date: %q is no day; write it as 2026-03-02", cell(0))
	}
	day := Day{Date: date}
	for column, price := range []*float64{&day.Open, &day.High, &day.Low, &day.Close} {
		text := cell(column + 1)
		*price, err = strconv.ParseFloat(text, 64)
		if err != nil || math.IsInf(*price, 0) || !(*price > 0) {
			return Day{}, fmt.Errorf("%s: %q is no positive number; write it as 12.34", columns[column+1], text)
		}
	}
	if day.Low > min(day.Open, day.Close) || day.High < max(day.Open, day.Close) {
		return Day{}, fmt.Errorf("low %g and high %g must hold open %g and close %g between them", day.Low, day.High, day.Open, day.Close)
	}
	if day.Volume, err = strconv.ParseInt(cell(5), 10, 64); err != nil || day.Volume < 0 {
		return Day{}, fmt.Errorf("volume: %q is no whole number of shares; write it as 1200, or 0", cell(5))
	}
	return day, nil
}
