package server_test

import (
	"context"
	"io"
	"log/slog"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	reflectionv1 "google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/descriptorpb"

	stocksv1 "stocks/gen/stocks/v1"
	"stocks/internal/server"
)

const name = "stocks.v1.StockService"

func logger(out io.Writer) *slog.Logger { return slog.New(slog.NewTextHandler(out, nil)) }

// gated answers a history at once, and a quote when it is told to.
type gated struct {
	stocksv1.UnimplementedStockServiceServer
	asked, release chan struct{}
}

func newGated() gated { return gated{asked: make(chan struct{}), release: make(chan struct{})} }

func (g gated) GetQuote(ctx context.Context, _ *stocksv1.GetQuoteRequest) (*stocksv1.Quote, error) {
	close(g.asked)
	select {
	case <-g.release:
		return &stocksv1.Quote{Note: "answered"}, nil
	case <-ctx.Done():
		return nil, status.FromContextError(ctx.Err()).Err()
	}
}

func (g gated) GetHistory(context.Context, *stocksv1.GetHistoryRequest) (*stocksv1.History, error) {
	return &stocksv1.History{}, nil
}

func TestHealthIsServingOnceStarted(t *testing.T) {
	_, channel := start(t, newGated(), quiet())
	client := healthv1.NewHealthClient(channel)
	for _, service := range []string{"", name} {
		health, err := client.Check(t.Context(), &healthv1.HealthCheckRequest{Service: service})
		if err != nil || health.GetStatus() != healthv1.HealthCheckResponse_SERVING {
			t.Errorf("health of %q: %v, %v", service, health, err)
		}
	}
	if _, err := client.Check(t.Context(), &healthv1.HealthCheckRequest{Service: "other"}); status.Code(err) != codes.NotFound {
		t.Errorf("health of another service: %v", err)
	}
}

func TestReflectionHandsOutEveryFile(t *testing.T) {
	_, channel := start(t, newGated(), quiet())
	stream, err := reflectionv1.NewServerReflectionClient(channel).ServerReflectionInfo(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	request := &reflectionv1.ServerReflectionRequest{
		MessageRequest: &reflectionv1.ServerReflectionRequest_FileContainingSymbol{FileContainingSymbol: name},
	}
	if err := stream.Send(request); err != nil {
		t.Fatal(err)
	}
	answer, err := stream.Recv()
	if err != nil {
		t.Fatal(err)
	}
	var files []string
	for _, data := range answer.GetFileDescriptorResponse().GetFileDescriptorProto() {
		file := &descriptorpb.FileDescriptorProto{}
		if err := proto.Unmarshal(data, file); err != nil {
			t.Fatal(err)
		}
		files = append(files, file.GetName())
	}
	for _, want := range []string{"stocks/v1/stocks.proto", "buf/validate/validate.proto", "google/api/field_behavior.proto"} {
		if !slices.Contains(files, want) {
			t.Errorf("the files are %q, without %q", files, want)
		}
	}
}

func TestStoppingSaysNotServingRefusesNewCallsAndFinishesThoseInFlight(t *testing.T) {
	service := newGated()
	listening, channel := start(t, service, quiet())
	client := stocksv1.NewStockServiceClient(channel)
	watch, err := healthv1.NewHealthClient(channel).Watch(t.Context(), &healthv1.HealthCheckRequest{Service: name})
	if err != nil {
		t.Fatal(err)
	}
	if health, err := watch.Recv(); err != nil || health.GetStatus() != healthv1.HealthCheckResponse_SERVING {
		t.Fatalf("the first health is %v, %v", health, err)
	}
	answered := make(chan string, 1)
	go func() {
		quote, err := client.GetQuote(context.Background(), &stocksv1.GetQuoteRequest{Query: "V"})
		answered <- quote.GetNote() + status.Code(err).String()
	}()
	<-service.asked

	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		listening.Stop(time.Hour)
	}()

	if health, err := watch.Recv(); err != nil || health.GetStatus() != healthv1.HealthCheckResponse_NOT_SERVING {
		t.Errorf("the second health is %v, %v", health, err)
	}
	if _, err := watch.Recv(); status.Code(err) != codes.Canceled {
		t.Errorf("the watch ends with %v, want CANCELLED", err)
	}
	for err == nil {
		_, err = client.GetHistory(t.Context(), &stocksv1.GetHistoryRequest{Query: "V"})
	}
	if status.Code(err) != codes.Unavailable {
		t.Errorf("a new call gets %v, want UNAVAILABLE", err)
	}
	select {
	case <-stopped:
		t.Error("it stopped with a call in flight")
	default:
	}
	close(service.release)
	if answer := <-answered; answer != "answeredOK" {
		t.Errorf("the call in flight got %q", answer)
	}
	<-stopped
}

func TestStoppingEndsStreamsThatWaitForNothingOrForTheirClient(t *testing.T) {
	listening, channel := start(t, newGated(), quiet())
	watch, err := healthv1.NewHealthClient(channel).Watch(t.Context(), &healthv1.HealthCheckRequest{Service: "other"})
	if err != nil {
		t.Fatal(err)
	}
	if health, err := watch.Recv(); err != nil || health.GetStatus() != healthv1.HealthCheckResponse_SERVICE_UNKNOWN {
		t.Fatalf("the health is %v, %v", health, err)
	}
	reflected, err := reflectionv1.NewServerReflectionClient(channel).ServerReflectionInfo(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	list := &reflectionv1.ServerReflectionRequest{MessageRequest: &reflectionv1.ServerReflectionRequest_ListServices{}}
	if err := reflected.Send(list); err != nil {
		t.Fatal(err)
	}
	if _, err := reflected.Recv(); err != nil {
		t.Fatal(err)
	}

	// Were it to wait for them, it would do so for longer than the test may take.
	listening.Stop(time.Hour)

	if _, err := watch.Recv(); status.Code(err) != codes.Canceled {
		t.Errorf("the watch ends with %v, want CANCELLED", err)
	}
	if _, err := reflected.Recv(); status.Code(err) != codes.Unavailable {
		t.Errorf("reflection ends with %v, want UNAVAILABLE", err)
	}
}

func TestAServerThatIsStoppedBeforeItServesIsNoFailure(t *testing.T) {
	listening, err := server.Listen(newGated(), server.Options{Address: "127.0.0.1:0", Log: quiet()})
	if err != nil {
		t.Fatal(err)
	}

	listening.Stop(time.Hour)

	if err := listening.Serve(); err != nil {
		t.Errorf("Serve: %v", err)
	}
}

func TestACallThatOutlivesTheGraceIsCut(t *testing.T) {
	service := newGated()
	listening, channel := start(t, service, quiet())
	cut := make(chan error, 1)
	go func() {
		_, err := stocksv1.NewStockServiceClient(channel).GetQuote(context.Background(), &stocksv1.GetQuoteRequest{Query: "V"})
		cut <- err
	}()
	<-service.asked

	listening.Stop(0)

	if err := <-cut; status.Code(err) != codes.Unavailable {
		t.Errorf("the call got %v, want UNAVAILABLE", err)
	}
}

func TestEachCallIsALineWithoutItsArguments(t *testing.T) {
	log := &written{line: make(chan struct{})}
	_, channel := start(t, newGated(), logger(log))

	_, _ = stocksv1.NewStockServiceClient(channel).GetHistory(t.Context(), &stocksv1.GetHistoryRequest{Query: "private", Days: proto.Int32(0)})
	_, _ = healthv1.NewHealthClient(channel).Check(t.Context(), &healthv1.HealthCheckRequest{})
	<-log.line

	line := regexp.MustCompile(`^time=\S+ level=INFO msg=call method=GetHistory code=INVALID_ARGUMENT ms=[0-9.e-]+\n$`)
	if text := log.String(); !line.MatchString(text) {
		t.Errorf("the log is %q", text)
	}
}

func TestATakenAddressIsAnErrorWithTheCure(t *testing.T) {
	listening, _ := start(t, newGated(), quiet())

	_, err := server.Listen(newGated(), server.Options{Address: listening.Address(), Log: quiet()})

	if err == nil || !strings.Contains(err.Error(), "give a HOST:PORT of this machine that is free") {
		t.Errorf("the error is %v", err)
	}
}
