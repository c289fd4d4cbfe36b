package server

import (
	"context"
	"log/slog"
	"path"
	"strings"

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
	l.log.Info("call", "method", path.Base(method), "code", status.Code(end.Error).String(), "ms", milliseconds)
}

func (l logged) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context { return ctx }

func (l logged) HandleConn(context.Context, stats.ConnStats) {}
