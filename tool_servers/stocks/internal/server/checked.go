package server

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"buf.build/gen/go/bufbuild/protovalidate/protocolbuffers/go/buf/validate"
	"buf.build/go/protovalidate"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"stocks/internal/failures"
)

// checked refuses requests that break the rules of their .proto, with all violations at once, before they are
// acted on.
func checked(validator protovalidate.Validator) grpc.UnaryServerInterceptor {
	return func(ctx context.Context, request any, _ *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (any, error) {
		message, ok := request.(proto.Message)
		if !ok {
			return nil, fmt.Errorf("%T is no message", request)
		}
		err := validator.Validate(message)
		var broken *protovalidate.ValidationError
		if errors.As(err, &broken) {
			return nil, failures.InvalidArgument(worded(broken)...)
		}
		if err != nil {
			return nil, err
		}
		return handle(ctx, request)
	}
}

func worded(broken *protovalidate.ValidationError) []failures.Violation {
	violations := make([]failures.Violation, len(broken.Violations))
	for i, each := range broken.Violations {
		id := each.Proto.GetRuleId()
		field := protovalidate.FieldPathString(each.Proto.GetField())
		if field == "" {
			// A rule of the message as a whole: its id begins with the field to change.
			field, _, _ = strings.Cut(id, ".")
		}
		violations[i] = failures.Violation{Field: field, Reason: reason(id), Description: description(each)}
	}
	return violations
}

// description is the fact, with the value that was sent, and the example that the .proto gives for the field.
func description(violation *protovalidate.Violation) string {
	words := violation.Proto.GetMessage()
	if violation.FieldDescriptor == nil {
		return words
	}
	if violation.FieldValue.IsValid() {
		words = fmt.Sprintf("%s %s", literal(violation.FieldValue), words)
	}
	if example := example(violation.FieldDescriptor); example.IsValid() {
		words += "; send, for example, " + literal(example)
	}
	return words
}

// example is the first that the field's rules give, whatever the type of the field.
func example(field protoreflect.FieldDescriptor) protoreflect.Value {
	rules, _ := proto.GetExtension(field.Options(), validate.E_Field).(*validate.FieldRules)
	var found protoreflect.Value
	rules.ProtoReflect().Range(func(kind protoreflect.FieldDescriptor, value protoreflect.Value) bool {
		if kind.Message() == nil {
			return true
		}
		examples := kind.Message().Fields().ByName("example")
		if examples == nil || value.Message().Get(examples).List().Len() == 0 {
			return true
		}
		found = value.Message().Get(examples).List().Get(0)
		return false
	})
	return found
}

func literal(value protoreflect.Value) string {
	text := []rune(value.String())
	if len(text) > maxQuoted {
		text = append(text[:maxQuoted], '…')
	}
	if _, ok := value.Interface().(string); ok {
		return fmt.Sprintf("%q", string(text))
	}
	return string(text)
}

// How much of a value is said back.
const maxQuoted = 40

// reason is a rule's id as google.rpc has them: string.min_len becomes STRING_MIN_LEN.
func reason(id string) string {
	return strings.ToUpper(strings.ReplaceAll(id, ".", "_"))
}
