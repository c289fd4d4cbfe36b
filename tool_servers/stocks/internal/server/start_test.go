package server_test

import (
	"bytes"
	"io"
	"log/slog"
	"sync"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	stocksv1 "stocks/gen/stocks/v1"
	"stocks/internal/directory"
	"stocks/internal/prices"
	"stocks/internal/server"
	"stocks/internal/service"
)

// A Saturday: the latest trading day is 2026-11-20 everywhere.
var saturday = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

func quiet() *slog.Logger { return slog.New(slog.NewTextHandler(io.Discard, nil)) }

// start serves until the test ends, and returns the server with a channel to it.
func start(t *testing.T, implementation stocksv1.StockServiceServer, log *slog.Logger) (*server.Server, *grpc.ClientConn) {
	t.Helper()
	listening, err := server.Listen(implementation, server.Options{Address: "127.0.0.1:0", Log: log})
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- listening.Serve() }()
	channel, err := grpc.NewClient(listening.Address(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		channel.Close()
		listening.Stop(0)
		if err := <-served; err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
	return listening, channel
}

// generated is a client of the service with generated prices, at a time.
func generated(t *testing.T, now time.Time) stocksv1.StockServiceClient {
	t.Helper()
	stocks, err := directory.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	clock := func() time.Time { return now }
	_, channel := start(t, &service.Service{
		Directory: directory.New(stocks), Prices: prices.Generated{Now: clock}, Now: clock,
	}, quiet())
	return stocksv1.NewStockServiceClient(channel)
}

// violations are those of a google.rpc.BadRequest in an INVALID_ARGUMENT; each is `field REASON`.
func violations(t *testing.T, err error) []string {
	t.Helper()
	refused := status.Convert(err)
	if refused.Code() != codes.InvalidArgument {
		t.Fatalf("the status is %v, want INVALID_ARGUMENT", err)
	}
	var found []string
	for _, detail := range refused.Details() {
		for _, each := range detail.(*errdetails.BadRequest).GetFieldViolations() {
			found = append(found, each.GetField()+" "+each.GetReason())
		}
	}
	return found
}

// written is a log that a test reads while it is written.
type written struct {
	lock sync.Mutex
	text bytes.Buffer
	// line is closed once there is a line.
	line chan struct{}
	once sync.Once
}

func (w *written) Write(bytes []byte) (int, error) {
	w.lock.Lock()
	defer w.lock.Unlock()
	defer w.once.Do(func() { close(w.line) })
	return w.text.Write(bytes)
}

func (w *written) String() string {
	w.lock.Lock()
	defer w.lock.Unlock()
	return w.text.String()
}
