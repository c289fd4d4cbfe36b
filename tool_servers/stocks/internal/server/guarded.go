package server

import (
	"context"
	"crypto/rand"
	"log/slog"
	"runtime/debug"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/status"

	"stocks/internal/failures"
)

// guarded keeps a bug in one call from ending the service, and its traces from the client: both go to the log.
func guarded(log *slog.Logger) grpc.UnaryServerInterceptor {
	return func(ctx context.Context, request any, info *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (response any, err error) {
		defer func() {
			if cause := recover(); cause != nil {
				response, err = nil, reported(log, info.FullMethod, "panic", cause, "stack", string(debug.Stack()))
			}
		}()
		response, err = handle(ctx, request)
		if _, worded := status.FromError(err); err != nil && !worded {
			return nil, reported(log, info.FullMethod, "error", err.Error())
		}
		return response, err
	}
}

func reported(log *slog.Logger, method string, what ...any) error {
	incident := rand.Text()[:12]
	log.Error("failed", append([]any{"method", method, "incident", incident}, what...)...)
	return failures.Unexpected(incident)
}

// delayed lets each call wait before it is answered, so that calls can be seen to overlap.
func delayed(delay time.Duration) grpc.UnaryServerInterceptor {
	return func(ctx context.Context, request any, _ *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (any, error) {
		select {
		case <-ctx.Done():
			return nil, status.FromContextError(ctx.Err()).Err()
		case <-time.After(delay):
			return handle(ctx, request)
		}
	}
}
