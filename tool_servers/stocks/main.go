// Stocks tells quotes and histories of stocks, over gRPC.
//
//	make -C tool_servers/stocks build      # build/stocks, with Go 1.26
//	tool_servers/stocks/build/stocks       # stocks: listening on 127.0.0.1:50052
//
// It serves stocks.v1.StockService (protos/stocks/v1/stocks.proto) with health and reflection (v1 and v1alpha) beside
// it, and writes one line to stdout when it is ready; with port 0 that line tells which port it got. A line for each
// call goes to stderr. SIGTERM and SIGINT stop it: it says NOT_SERVING, refuses new calls, lets those in flight end,
// and exits with status 0. A wrong setting is exit status 2.
//
// The prices are generated, and every answer says so, unless --data names a folder of CSV files.
package main

import (
	"context"
	_ "embed"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"stocks/internal/directory"
	"stocks/internal/prices"
	"stocks/internal/server"
	"stocks/internal/service"
)

// The .proto with its comments, which the stubs leave out: what is said in it reaches a model by reflection, too.
//
//go:embed gen/stocks.binpb
var described []byte

func main() {
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

func run(arguments []string, stdout, stderr io.Writer) int {
	settings, err := readSettings(arguments, stdout)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err == nil {
		err = serve(settings, stdout, stderr)
	}
	if err != nil {
		fmt.Fprintf(stderr, "stocks: %v\n", err)
		return 2
	}
	return 0
}

// serve answers calls until SIGTERM or SIGINT; a second one ends the process at once.
func serve(settings settings, stdout, stderr io.Writer) error {
	source, stocks, err := load(settings)
	if err != nil {
		return err
	}
	// Only now: a signal while a large folder is read ends the process.
	stopped, again := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer again()
	answers := &service.Service{Directory: directory.New(stocks), Prices: source, Now: settings.now}
	log := slog.New(slog.NewTextHandler(stderr, nil))
	listening, err := server.Listen(answers, server.Options{
		Address: settings.address, Delay: settings.delay, Log: log, Described: described,
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(stdout, "stocks: listening on %s\n", listening.Address())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		<-stopped.Done()
		again()
		listening.Stop(settings.grace)
	}()
	if err := listening.Serve(); err != nil {
		return err
	}
	<-ended
	log.Info("stopped")
	return nil
}

func load(settings settings) (prices.Source, []*directory.Stock, error) {
	if settings.data != "" {
		return prices.ReadFolder(settings.data)
	}
	stocks, err := directory.Embedded()
	return prices.Generated{Now: settings.now}, stocks, err
}
