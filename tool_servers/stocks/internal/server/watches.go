package server

import (
	"context"
	"sync/atomic"

	"google.golang.org/grpc"
)

// watches ends health watches once the service stops and they have told so. Without it a client that watches
// would hold up the stop until the grace is over.
type watches struct {
	stopping atomic.Bool
}

func (w *watches) intercept(service any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, handle grpc.StreamHandler) error {
	ctx, cancel := context.WithCancel(stream.Context())
	defer cancel()
	return handle(service, &watched{ServerStream: stream, ctx: ctx, cancel: cancel, stopping: &w.stopping})
}

type watched struct {
	grpc.ServerStream
	ctx      context.Context
	cancel   context.CancelFunc
	stopping *atomic.Bool
}

func (w *watched) Context() context.Context { return w.ctx }

func (w *watched) SendMsg(message any) error {
	err := w.ServerStream.SendMsg(message)
	if w.stopping.Load() {
		w.cancel()
	}
	return err
}
