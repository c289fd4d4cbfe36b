package prices

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"stocks/internal/directory"
)

const (
	maxFiles     = 5_000
	maxRows      = 30_000
	maxFileBytes = 4 << 20
	// namesFile tells what the tickers of a folder are called. No ticker has a name that long.
	namesFile = "companies.csv"
)

var ticker = regexp.MustCompile(`^[A-Z0-9][A-Z0-9.\-]{0,19}$`)

// Folder has the prices of a folder of CSV files, one for each stock: TICKER.csv with the columns date, open, high,
// low, close and volume, in any order and among others.
type Folder struct {
	series map[string]Series
}

// Of returns the series of one of the stocks of the folder.
func (f Folder) Of(stock *directory.Stock) Series {
	return f.series[stock.Ticker]
}

// ReadFolder reads all files of a folder, and returns their prices and their stocks. The names of the stocks are those
// of companies.csv in the folder, else those that the service knows by heart, else the tickers. An error names
// file and line.
func ReadFolder(path string) (Folder, []*directory.Stock, error) {
	entries, err := os.ReadDir(path)
	if err != nil {
		return Folder{}, nil, fmt.Errorf("%w; give a folder of CSV files", err)
	}
	folder := Folder{series: map[string]Series{}}
	var tickers []string
	for _, entry := range entries {
		name := entry.Name()
		if !strings.EqualFold(filepath.Ext(name), ".csv") || name == namesFile {
			continue
		}
		if len(tickers) == maxFiles {
			return Folder{}, nil, fmt.Errorf("%s: more than %d CSV files; leave some out", path, maxFiles)
		}
		found, series, err := readFile(path, name)
		if err != nil {
			return Folder{}, nil, err
		}
		if _, twice := folder.series[found]; twice {
			return Folder{}, nil, fmt.Errorf("%s: there is another file for %s; keep one", filepath.Join(path, name), found)
		}
		folder.series[found] = series
		tickers = append(tickers, found)
	}
	if len(tickers) == 0 {
		return Folder{}, nil, fmt.Errorf("%s: there is no CSV file; put one for each stock, named TICKER.csv", path)
	}
	stocks, err := describe(path, tickers)
	return folder, stocks, err
}

func readFile(folder, name string) (string, Series, error) {
	path := filepath.Join(folder, name)
	found := strings.ToUpper(strings.TrimSuffix(name, filepath.Ext(name)))
	if !ticker.MatchString(found) {
		return "", Series{}, fmt.Errorf("%s: its name is no ticker; name it as 600519.SS.csv or AAPL.csv", path)
	}
	file, err := open(path)
	if err != nil {
		return "", Series{}, err
	}
	defer file.Close()
	days, err := readDays(file, path)
	return found, Series{Days: days, Source: "the file " + name}, err
}

// open opens a file that has an end, and not too far away: a pipe or a device would keep the start waiting for ever.
func open(path string) (*os.File, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s: it is no file; leave it out", path)
	}
	if info.Size() > maxFileBytes {
		return nil, fmt.Errorf("%s: larger than %d MiB; leave out what is least needed, such as the oldest days", path, maxFileBytes>>20)
	}
	return os.Open(path)
}

// describe finds the stocks of tickers. The order is that of the tables, in which a company's main listing is first.
func describe(folder string, tickers []string) ([]*directory.Stock, error) {
	known, err := directory.Embedded()
	if err != nil {
		return nil, err
	}
	own, err := readNames(filepath.Join(folder, namesFile))
	if err != nil {
		return nil, err
	}
	bare := map[string]bool{}
	for _, each := range tickers {
		bare[each] = true
	}
	var stocks []*directory.Stock
	for _, stock := range append(own, known...) {
		if bare[stock.Ticker] {
			bare[stock.Ticker] = false
			stocks = append(stocks, stock)
		}
	}
	for _, each := range tickers {
		if bare[each] {
			stocks = append(stocks, &directory.Stock{Ticker: each, Names: []string{each}})
		}
	}
	return stocks, nil
}

func readNames(path string) ([]*directory.Stock, error) {
	file, err := open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return directory.Read(file, path)
}
