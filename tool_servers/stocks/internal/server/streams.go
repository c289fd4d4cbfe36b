package server

import (
	"context"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"
)

// streams ends health watches and reflection when the service stops: nobody else would, and a client that keeps one
// open would hold up the stop until the grace is over. Who watches a health that was SERVING is told of its end first.
type streams struct {
	lock     sync.Mutex
	stopping bool
	open     map[*stream]struct{}
}

func (s *streams) intercept(service any, opened grpc.ServerStream, _ *grpc.StreamServerInfo, handle grpc.StreamHandler) error {
	ctx, cancel := context.WithCancel(opened.Context())
	defer cancel()
	each := &stream{ServerStream: opened, ctx: ctx, cancel: cancel, all: s}
	s.update(each, func() { s.open[each] = struct{}{} })
	defer s.update(each, func() { delete(s.open, each) })
	return handle(service, each)
}

// stop ends all streams that are not about to be told that the service stops, and the others once they have been.
func (s *streams) stop() {
	s.lock.Lock()
	defer s.lock.Unlock()
	s.stopping = true
	for each := range s.open {
		each.endIfDone()
	}
}

func (s *streams) update(each *stream, change func()) {
	s.lock.Lock()
	defer s.lock.Unlock()
	change()
	if s.stopping {
		each.endIfDone()
	}
}

type stream struct {
	grpc.ServerStream
	ctx    context.Context
	cancel context.CancelFunc
	all    *streams
	// awaited is whether its client has yet to be told that the service is no longer SERVING.
	awaited bool
}

func (s *stream) endIfDone() {
	if !s.awaited {
		s.cancel()
	}
}

func (s *stream) Context() context.Context { return s.ctx }

func (s *stream) SendMsg(message any) error {
	err := s.ServerStream.SendMsg(message)
	health, _ := message.(*healthv1.HealthCheckResponse)
	s.all.update(s, func() { s.awaited = health.GetStatus() == healthv1.HealthCheckResponse_SERVING })
	return err
}

// RecvMsg does not wait for a client any longer than the stream is to last.
func (s *stream) RecvMsg(message any) error {
	received := make(chan error, 1)
	go func() { received <- s.ServerStream.RecvMsg(message) }()
	select {
	case err := <-received:
		return err
	case <-s.ctx.Done():
		return status.Error(codes.Unavailable, "the stock service is stopping")
	}
}
