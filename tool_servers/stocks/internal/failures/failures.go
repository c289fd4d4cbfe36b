// Package failures words what is wrong with a request as a gRPC status that a model can act on.
package failures

import (
	"strings"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/protoadapt"
)

// Domain is the one of the reasons that the service gives.
const Domain = "stocks.v1.StockService"

// Violation is what is wrong with one field of a request: the fact, then what to send instead.
type Violation struct {
	Field string
	// Reason is for programs, e.g. "DATE_IN_FUTURE".
	Reason string
	// Description is for a model or a person.
	Description string
}

// InvalidArgument is the status of a request with violations: all of them in its message and, as
// google.rpc.BadRequest, in its details.
func InvalidArgument(violations ...Violation) error {
	words := make([]string, len(violations))
	details := &errdetails.BadRequest{}
	for i, each := range violations {
		words[i] = each.Field + ": " + each.Description
		details.FieldViolations = append(details.FieldViolations, &errdetails.BadRequest_FieldViolation{
			Field: each.Field, Reason: each.Reason, Description: each.Description,
		})
	}
	return detailed(codes.InvalidArgument, strings.Join(words, "; "), details)
}

// Unexpected is the status of a bug: no word of what it was, but the number under which the log has it.
func Unexpected(incident string) error {
	return detailed(codes.Internal, "the stock service failed; its log has the cause under incident "+incident,
		&errdetails.ErrorInfo{Reason: "UNEXPECTED", Domain: Domain, Metadata: map[string]string{"incident": incident}})
}

func detailed(code codes.Code, message string, details protoadapt.MessageV1) error {
	plain := status.New(code, message)
	rich, err := plain.WithDetails(details)
	if err != nil {
		return plain.Err()
	}
	return rich.Err()
}
