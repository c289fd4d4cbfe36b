package server_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	stocksv1 "stocks/gen/stocks/v1"
)

// untouched fails the test when a call gets as far as the service.
type untouched struct {
	stocksv1.UnimplementedStockServiceServer
	t *testing.T
}

func (u untouched) GetQuote(context.Context, *stocksv1.GetQuoteRequest) (*stocksv1.Quote, error) {
	u.t.Error("GetQuote was called")
	return &stocksv1.Quote{}, nil
}

func (u untouched) GetHistory(context.Context, *stocksv1.GetHistoryRequest) (*stocksv1.History, error) {
	u.t.Error("GetHistory was called")
	return &stocksv1.History{}, nil
}

func TestEveryRuleOfTheProtoIsHeldBeforeTheServiceIsCalled(t *testing.T) {
	_, channel := start(t, untouched{t: t}, quiet())
	client := stocksv1.NewStockServiceClient(channel)
	quote := func(request *stocksv1.GetQuoteRequest) error {
		_, err := client.GetQuote(t.Context(), request)
		return err
	}
	history := func(request *stocksv1.GetHistoryRequest) error {
		_, err := client.GetHistory(t.Context(), request)
		return err
	}
	long := strings.Repeat("茅", 101)
	for _, test := range []struct {
		name string
		err  error
		want []string
	}{
		{"no query", quote(&stocksv1.GetQuoteRequest{}), []string{"query STRING_MIN_LEN"}},
		{"long query", quote(&stocksv1.GetQuoteRequest{Query: long}), []string{"query STRING_MAX_LEN"}},
		{"date", quote(&stocksv1.GetQuoteRequest{Query: "V", Date: proto.String("2.3.2026")}), []string{"date STRING_PATTERN"}},
		{"empty date", quote(&stocksv1.GetQuoteRequest{Query: "V", Date: proto.String("")}), []string{"date STRING_PATTERN"}},
		{"all of a quote", quote(&stocksv1.GetQuoteRequest{Date: proto.String("today")}),
			[]string{"query STRING_MIN_LEN", "date STRING_PATTERN"}},
		{"no query for a history", history(&stocksv1.GetHistoryRequest{}), []string{"query STRING_MIN_LEN"}},
		{"long query for a history", history(&stocksv1.GetHistoryRequest{Query: long}), []string{"query STRING_MAX_LEN"}},
		{"start", history(&stocksv1.GetHistoryRequest{Query: "V", StartDate: proto.String("2026-3-2")}), []string{"start_date STRING_PATTERN"}},
		{"end", history(&stocksv1.GetHistoryRequest{Query: "V", EndDate: proto.String("2026-03-02T00:00:00Z")}), []string{"end_date STRING_PATTERN"}},
		{"no days", history(&stocksv1.GetHistoryRequest{Query: "V", Days: proto.Int32(0)}), []string{"days INT32_GTE_LTE"}},
		{"many days", history(&stocksv1.GetHistoryRequest{Query: "V", Days: proto.Int32(251)}), []string{"days INT32_GTE_LTE"}},
		{"days and start", history(&stocksv1.GetHistoryRequest{Query: "V", Days: proto.Int32(1), StartDate: proto.String("2026-03-02")}),
			[]string{"days DAYS_NOT_WITH_START_DATE"}},
		{"start after end", history(&stocksv1.GetHistoryRequest{Query: "V", StartDate: proto.String("2026-03-03"), EndDate: proto.String("2026-03-02")}),
			[]string{"start_date START_DATE_NOT_AFTER_END_DATE"}},
		{"all of a history", history(&stocksv1.GetHistoryRequest{StartDate: proto.String("x"), EndDate: proto.String("e"), Days: proto.Int32(-1)}),
			[]string{"days DAYS_NOT_WITH_START_DATE", "start_date START_DATE_NOT_AFTER_END_DATE", "query STRING_MIN_LEN",
				"start_date STRING_PATTERN", "end_date STRING_PATTERN", "days INT32_GTE_LTE"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			if found := violations(t, test.err); !slices.Equal(found, test.want) {
				t.Errorf("the violations are %q, want %q", found, test.want)
			}
		})
	}
}

func TestAViolationSaysWhatWasSentAndWhatToSend(t *testing.T) {
	client := generated(t, saturday)

	_, err := client.GetQuote(t.Context(), &stocksv1.GetQuoteRequest{Query: strings.Repeat("x", 101), Date: proto.String("2.3.2026")})

	want := `query: "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…" must be at most 100 characters; send, for example, "600519.SS"; ` +
		"date: \"2.3.2026\" does not match regex pattern `^[0-9]{4}-[0-9]{2}-[0-9]{2}$`; send, for example, \"2026-03-02\""
	if message := status.Convert(err).Message(); message != want {
		t.Errorf("the message is %s, want %s", message, want)
	}
}

func TestARequestThatIsTooLargeIsRefused(t *testing.T) {
	client := generated(t, saturday)

	_, err := client.GetQuote(t.Context(), &stocksv1.GetQuoteRequest{Query: strings.Repeat("x", 65<<10)})

	if status.Code(err) != codes.ResourceExhausted {
		t.Errorf("the status is %v, want RESOURCE_EXHAUSTED", err)
	}
}

// broken has a bug in each method.
type broken struct {
	stocksv1.UnimplementedStockServiceServer
}

func (broken) GetQuote(context.Context, *stocksv1.GetQuoteRequest) (*stocksv1.Quote, error) {
	panic("secret")
}

func (broken) GetHistory(context.Context, *stocksv1.GetHistoryRequest) (*stocksv1.History, error) {
	return nil, context.DeadlineExceeded
}

func TestABugIsAnIncidentInTheLogAndTheServiceGoesOn(t *testing.T) {
	log := &written{line: make(chan struct{})}
	_, channel := start(t, broken{}, logger(log))
	client := stocksv1.NewStockServiceClient(channel)

	for range 2 {
		_, err := client.GetQuote(t.Context(), &stocksv1.GetQuoteRequest{Query: "private"}, grpc.WaitForReady(true))

		message := status.Convert(err).Message()
		if status.Code(err) != codes.Internal || strings.Contains(message, "secret") {
			t.Fatalf("the status is %v, want INTERNAL without the cause", err)
		}
		incident := message[strings.LastIndex(message, " ")+1:]
		if text := log.String(); !strings.Contains(text, "incident="+incident) || !strings.Contains(text, "panic=secret") {
			t.Errorf("the log lacks incident %s: %s", incident, text)
		}
	}
	_, err := client.GetHistory(t.Context(), &stocksv1.GetHistoryRequest{Query: "private"})
	if status.Code(err) != codes.Internal {
		t.Errorf("the status is %v, want INTERNAL", err)
	}
	if strings.Contains(log.String(), "private") {
		t.Error("the log tells arguments")
	}
}
