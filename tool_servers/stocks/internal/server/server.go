// Package server serves stocks.v1.StockService over gRPC, with health and reflection beside it.
package server

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"time"

	"buf.build/go/protovalidate"
	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/reflection"
	reflectionv1 "google.golang.org/grpc/reflection/grpc_reflection_v1"
	reflectionv1alpha "google.golang.org/grpc/reflection/grpc_reflection_v1alpha"

	stocksv1 "stocks/gen/stocks/v1"
)

const (
	maxRequestBytes  = 64 << 10
	maxCallsAtOnce   = 1000 // on one connection
	maxConnectionAge = 30 * time.Minute
)

// Server is a stock service that listens.
type Server struct {
	listener net.Listener
	grpc     *grpc.Server
	health   *health.Server
	streams  *streams
}

// Options are what a server may be told.
type Options struct {
	// Address is HOST:PORT; with port 0 it takes a free one.
	Address string
	// Delay is how long each call waits before it is answered.
	Delay time.Duration
	// Log gets a line for each call.
	Log *slog.Logger
	// Described is a FileDescriptorSet with the service's .proto and its imports, for reflection; without it,
	// reflection tells what the stubs know.
	Described []byte
}

// Listen makes a server that listens, and answers once it is served.
func Listen(service stocksv1.StockServiceServer, options Options) (*Server, error) {
	validator, err := protovalidate.New(
		protovalidate.WithMessages(&stocksv1.GetQuoteRequest{}, &stocksv1.GetHistoryRequest{}),
	)
	if err != nil {
		return nil, fmt.Errorf("the rules of stocks.proto cannot be read: %w", err)
	}
	files, err := describedFiles(options.Described)
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", options.Address)
	if err != nil {
		return nil, fmt.Errorf("cannot listen on %q: give a HOST:PORT of this machine that is free (%w)", options.Address, err)
	}
	ending := &streams{open: map[*stream]struct{}{}}
	server := &Server{
		listener: listener,
		health:   health.NewServer(),
		streams:  ending,
		grpc: grpc.NewServer(
			grpc.MaxRecvMsgSize(maxRequestBytes),
			grpc.MaxConcurrentStreams(maxCallsAtOnce),
			// Long-lived clients come back through name resolution now and then, so that load stays even.
			grpc.KeepaliveParams(keepalive.ServerParameters{MaxConnectionAge: maxConnectionAge, MaxConnectionAgeGrace: 30 * time.Second}),
			grpc.StatsHandler(logged{options.Log}),
			grpc.ChainUnaryInterceptor(guarded(options.Log), checked(validator), delayed(options.Delay)),
			grpc.StreamInterceptor(ending.intercept),
		),
	}
	stocksv1.RegisterStockServiceServer(server.grpc, service)
	healthv1.RegisterHealthServer(server.grpc, server.health)
	reflected := reflection.ServerOptions{Services: server.grpc, DescriptorResolver: files}
	reflectionv1.RegisterServerReflectionServer(server.grpc, reflection.NewServerV1(reflected))
	reflectionv1alpha.RegisterServerReflectionServer(server.grpc, reflection.NewServer(reflected))
	server.health.SetServingStatus(stocksv1.StockService_ServiceDesc.ServiceName, healthv1.HealthCheckResponse_SERVING)
	return server, nil
}

// Address is where it listens.
func (s *Server) Address() string { return s.listener.Addr().String() }

// Serve answers calls until the server is stopped, which it may have been already.
func (s *Server) Serve() error {
	if err := s.grpc.Serve(s.listener); !errors.Is(err, grpc.ErrServerStopped) {
		return err
	}
	return nil
}

// Stop says NOT_SERVING, refuses new calls, gives those in flight the grace to end, and then cuts them.
func (s *Server) Stop(grace time.Duration) {
	s.streams.stop()
	s.health.Shutdown()
	cut := time.AfterFunc(grace, s.grpc.Stop)
	defer cut.Stop()
	s.grpc.GracefulStop()
}
