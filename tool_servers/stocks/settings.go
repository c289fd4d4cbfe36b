package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"net"
	"time"

	"stocks/internal/prices"
)

const maxSeconds = 3600

type settings struct {
	address string
	data    string
	grace   time.Duration
	delay   time.Duration
	now     func() time.Time
}

const usage = `usage: stocks [--address HOST:PORT] [--data DIR] [--grace SECONDS] [--delay SECONDS] [--now TIME]

Serves stocks.v1.StockService, health and reflection until SIGTERM or SIGINT.

  --address HOST:PORT  where to listen; port 0 takes a free one (default: 127.0.0.1:50052)
  --data DIR           prices of a folder in place of generated ones: a file TICKER.csv for each stock, with the
                       columns date,open,high,low,close,volume; an optional companies.csv, with the columns
                       ticker,names,chinese,exchange,currency, tells what they are called; all are read at the start
  --grace SECONDS      how long calls in flight have to end when it stops (default: 10)
  --delay SECONDS      how long each call waits for its answer, to see calls overlap (default: 0)
  --now TIME           the time to go by instead of the clock's, e.g. 2026-03-04T12:00:00Z: then every run gives the
                       same answers
`

// readSettings reads the command line; with --help it writes the usage and returns flag.ErrHelp.
func readSettings(arguments []string, stdout io.Writer) (settings, error) {
	read := settings{now: time.Now}
	flags := flag.NewFlagSet("stocks", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.StringVar(&read.address, "address", "127.0.0.1:50052", "")
	flags.StringVar(&read.data, "data", "", "")
	grace := flags.Float64("grace", 10, "")
	delay := flags.Float64("delay", 0, "")
	now := flags.String("now", "", "")
	err := flags.Parse(arguments)
	if errors.Is(err, flag.ErrHelp) {
		fmt.Fprint(stdout, usage)
		return read, err
	}
	if err != nil {
		return read, fmt.Errorf("%w; see stocks --help", err)
	}
	if flags.NArg() > 0 {
		return read, fmt.Errorf("%q is one argument too many; see stocks --help", flags.Arg(0))
	}
	if host, _, err := net.SplitHostPort(read.address); err != nil || host == "" {
		return read, fmt.Errorf("--address %q is no HOST:PORT: give one such as 127.0.0.1:50052", read.address)
	}
	if read.grace, err = seconds("grace", *grace); err != nil {
		return read, err
	}
	if read.delay, err = seconds("delay", *delay); err != nil {
		return read, err
	}
	if *now != "" {
		read.now, err = fixed(*now)
	}
	return read, err
}

func seconds(name string, number float64) (time.Duration, error) {
	if math.IsNaN(number) || number < 0 || number > maxSeconds {
		return 0, fmt.Errorf("--%s %v is out of range: give seconds from 0 to %d", name, number, maxSeconds)
	}
	return time.Duration(number * float64(time.Second)), nil
}

func fixed(text string) (func() time.Time, error) {
	now, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return nil, fmt.Errorf("--now %q is no time: give one as 2026-03-04T12:00:00Z", text)
	}
	if now.Before(prices.Begin) {
		return nil, fmt.Errorf("--now %q is before all prices: give a time after %s", text, prices.Begin.Format(time.DateOnly))
	}
	return func() time.Time { return now }, nil
}
