package server

import (
	"context"
	"log/slog"
	"path"
	"strings"

	"google.golang.org/genproto/googleapis/rpc/code"
	"google.golang.org/grpc/stats"
	"google.golang.org/grpc/status"
)

// logged writes a line for each call once its answer has been sent: method, code and milliseconds, never arguments.
// Unlike an interceptor it also sees the calls that no handler gets.
type logged struct {
	log *slog.Logger
}

type methodKey struct{}

func (l logged) TagRPC(ctx context.Context, info *stats.RPCTagInfo) context.Context {
	return context.WithValue(ctx, methodKey{}, info.FullMethodName)
}

func (l logged) HandleRPC(ctx context.Context, event stats.RPCStats) {
	end, ended := event.(*stats.End)
	method, _ := ctx.Value(methodKey{}).(string)
	// Health checks and reflection come all the time, from machines.
	if !ended || strings.HasPrefix(method, "/grpc.") {
		return
	}
	milliseconds := float64(end.EndTime.Sub(end.BeginTime).Microseconds()) / 1000
	// In gRPC's own spelling, which all languages share: INVALID_ARGUMENT.
	name := code.Code(status.Code(end.Error)).String()
	l.log.Info("call", "method", path.Base(method), "code", name, "ms", milliseconds)
}

func (l logged) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context { return ctx }

func (l logged) HandleConn(context.Context, stats.ConnStats) {}
