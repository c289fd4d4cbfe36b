// Package directory knows stocks by their tickers and by the names of their companies.
package directory

import (
	_ "embed"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // A bare machine may lack the time zones of the exchanges.
)

const maxStocks = 20_000

// The table is general knowledge. Its prices and volumes are what they roughly were in 2025: a level for
// generated series to keep to, and nothing to rely on. The day of the listing is there for those since 2010.
// A name that several stocks have stands for the one that comes first.
//
//go:embed companies.csv
var companies string

// Stock is one listing of a company.
type Stock struct {
	// Ticker has the suffix of the exchange where it has one, e.g. "600519.SS", "AAPL".
	Ticker string
	// Names of the company in English, the one to show first; never empty.
	Names []string
	// Chinese names of the company, the one to show first; may be empty.
	Chinese  []string
	Exchange Exchange
	// Price and Volume are the levels that a generated series keeps to; 0 where there is none.
	Price  float64
	Volume float64
	// Listed is the first day of trading where it is known.
	Listed time.Time
}

// Label names a stock in a sentence: `600519.SS (Kweichow Moutai, 贵州茅台)`.
func (s *Stock) Label() string {
	names := make([]string, 0, 2)
	if s.Names[0] != s.Ticker {
		names = append(names, s.Names[0])
	}
	if len(s.Chinese) > 0 {
		names = append(names, s.Chinese[0])
	}
	if len(names) == 0 {
		return s.Ticker
	}
	return fmt.Sprintf("%s (%s)", s.Ticker, strings.Join(names, ", "))
}

// Embedded returns the stocks that the service knows by heart.
func Embedded() ([]*Stock, error) {
	return Read(strings.NewReader(companies), "companies.csv")
}

// Read reads a table of stocks; an error names the line. The first line names the columns: ticker and names are
// needed; chinese, exchange, currency, price, volume and listed are optional. Within a cell, `|` parts names.
func Read(source io.Reader, file string) ([]*Stock, error) {
	rows := csv.NewReader(source)
	header, err := rows.Read()
	if err != nil {
		return nil, fmt.Errorf("%w; write a first line such as ticker,names,chinese,exchange,currency", Located(file, err))
	}
	columns := Columns(header)
	for _, name := range []string{"ticker", "names"} {
		if _, found := columns[name]; !found {
			return nil, fmt.Errorf("%s:1: there is no column %q; write a first line such as ticker,names,chinese,exchange,currency", file, name)
		}
	}
	var stocks []*Stock
	lines := map[string]int{}
	for {
		row, err := rows.Read()
		if errors.Is(err, io.EOF) {
			return stocks, nil
		}
		if err != nil {
			return nil, Located(file, err)
		}
		line, _ := rows.FieldPos(0)
		if len(stocks) == maxStocks {
			return nil, fmt.Errorf("%s:%d: more than %d stocks; leave some out", file, line, maxStocks)
		}
		stock, err := read(row, columns)
		if err == nil && lines[stock.Ticker] != 0 {
			err = fmt.Errorf("%q is also the ticker of line %d; keep one", stock.Ticker, lines[stock.Ticker])
		}
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", file, line, err)
		}
		lines[stock.Ticker] = line
		stocks = append(stocks, stock)
	}
}

// Columns tells where each column of a CSV file is, by its name in lower case.
func Columns(header []string) map[string]int {
	columns := make(map[string]int, len(header))
	for at, name := range header {
		columns[strings.ToLower(strings.Trim(name, " \ufeff"))] = at
	}
	return columns
}

// Located is an error of encoding/csv with its place as FILE:LINE.
func Located(file string, err error) error {
	var wrong *csv.ParseError
	if errors.As(err, &wrong) {
		return fmt.Errorf("%s:%d: %w; check its commas and quotes", file, wrong.Line, wrong.Err)
	}
	if errors.Is(err, io.EOF) {
		return fmt.Errorf("%s:1: it is empty", file)
	}
	return fmt.Errorf("%s: %w", file, err)
}

func read(row []string, columns map[string]int) (*Stock, error) {
	cell := func(name string) string {
		if at, found := columns[name]; found {
			return strings.TrimSpace(row[at])
		}
		return ""
	}
	stock := &Stock{
		Ticker:   strings.ToUpper(cell("ticker")),
		Names:    parts(cell("names")),
		Chinese:  parts(cell("chinese")),
		Exchange: named(cell("exchange"), cell("currency")),
	}
	if stock.Ticker == "" || len(stock.Names) == 0 {
		return nil, errors.New("the ticker or the name is empty; write both")
	}
	var err error
	if stock.Price, err = amount(cell("price")); err != nil {
		return nil, fmt.Errorf("price: %w", err)
	}
	if stock.Volume, err = amount(cell("volume")); err != nil {
		return nil, fmt.Errorf("volume: %w", err)
	}
	if listed := cell("listed"); listed != "" {
		if stock.Listed, err = time.Parse(time.DateOnly, listed); err != nil {
			return nil, fmt.Errorf("listed: %q is no day; write one as 2026-03-02, or nothing", listed)
		}
	}
	return stock, nil
}

func parts(cell string) []string {
	return strings.FieldsFunc(cell, func(char rune) bool { return char == '|' })
}

// named is the exchange of a code; one that is not known has that code as its name, and the currency given.
func named(code, currency string) Exchange {
	exchange, known := exchanges[strings.ToUpper(code)]
	if !known {
		exchange.Name = code
	}
	if currency != "" {
		exchange.Currency = currency
	}
	return exchange
}

func amount(cell string) (float64, error) {
	if cell == "" {
		return 0, nil
	}
	number, err := strconv.ParseFloat(cell, 64)
	if err != nil || math.IsInf(number, 0) || !(number > 0) {
		return 0, fmt.Errorf("%q is no positive number; write one such as 12.5, or nothing", cell)
	}
	return number, nil
}
