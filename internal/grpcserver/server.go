package grpcserver

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"runtime/debug"
	"sync"
	"time"

	grpcprom "github.com/grpc-ecosystem/go-grpc-middleware/providers/prometheus"
	"github.com/grpc-ecosystem/go-grpc-middleware/v2/interceptors/recovery"
	pb "github.com/kedacore/keda/v2/pkg/scalers/externalscaler"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/reflection"
	"google.golang.org/grpc/status"

	"github.com/infra-arch/zmy-scaler/internal/clock"
	"github.com/infra-arch/zmy-scaler/internal/engine"
	zmyv1 "github.com/infra-arch/zmy-scaler/proto/zmy/v1"
)

// What a client may ask of the server.
const (
	// maxMessage is far above any trigger: an annotation-sized object at most.
	maxMessage = 1 << 20
	// maxStreams is per connection. KEDA keeps one connection for all objects
	// with the same address, and two streams for each external-push trigger; a
	// call beyond the limit would wait for ever, having no deadline.
	maxStreams = 100_000
	// workers answer calls one after the other, on stacks that have grown already. A
	// call that finds none free, since streams keep them, gets a goroutine of its own.
	workers = 16
	// minPing is how often a client may ping.
	minPing = 10 * time.Second
)

// How long things live. Behind a headless Service KEDA learns of a new replica
// only when a connection ends, hence connections are retired; streams end before
// that by themselves, cleanly, because KEDA backs off after any other end.
const (
	maxStreamAge     = 20 * time.Minute
	maxConnectionAge = 30 * time.Minute
	ageGrace         = maxStreamAge + time.Minute
	// pingAfter finds clients that are gone without a word.
	pingAfter = time.Minute
	pingWait  = 20 * time.Second
)

// Options is what a server is made of.
type Options struct {
	Engine *engine.Engine
	// Introspection tells what the engine knows; its streams end by themselves
	// when the server is to drain.
	Introspection zmyv1.IntrospectionServer
	// TLS is nil for plain text.
	TLS *tls.Config
	// Metrics is told of every call.
	Metrics *grpcprom.ServerMetrics
	Clock   clock.Clock
	Log     *slog.Logger
}

// Server is the gRPC server.
type Server struct {
	grpc     *grpc.Server
	health   *health.Server
	draining chan struct{}
	drain    sync.Once
}

// New returns a server that does not listen yet.
func New(o Options) *Server {
	s := &Server{health: health.NewServer(), draining: make(chan struct{})}
	recoverer := recovery.WithRecoveryHandlerContext(func(_ context.Context, p any) error {
		o.Log.Error("a call panicked", "panic", p, "stack", string(debug.Stack()))
		return status.Error(codes.Internal, "internal error")
	})
	opts := []grpc.ServerOption{
		grpc.MaxRecvMsgSize(maxMessage),
		grpc.MaxConcurrentStreams(maxStreams),
		grpc.NumStreamWorkers(workers),
		grpc.ConnectionTimeout(20 * time.Second),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: minPing, PermitWithoutStream: true}),
		grpc.KeepaliveParams(keepalive.ServerParameters{
			MaxConnectionAge: maxConnectionAge, MaxConnectionAgeGrace: ageGrace,
			Time: pingAfter, Timeout: pingWait,
		}),
		grpc.ChainUnaryInterceptor(o.Metrics.UnaryServerInterceptor(), recovery.UnaryServerInterceptor(recoverer)),
		grpc.ChainStreamInterceptor(o.Metrics.StreamServerInterceptor(), recovery.StreamServerInterceptor(recoverer)),
	}
	if o.TLS != nil {
		opts = append(opts, grpc.Creds(credentials.NewTLS(o.TLS)))
	}
	s.grpc = grpc.NewServer(opts...)
	pb.RegisterExternalScalerServer(s.grpc, &service{engine: o.Engine, clock: o.Clock, draining: s.draining})
	zmyv1.RegisterIntrospectionServer(s.grpc, o.Introspection)
	healthpb.RegisterHealthServer(s.grpc, s.health)
	s.health.SetServingStatus(pb.ExternalScaler_ServiceDesc.ServiceName, healthpb.HealthCheckResponse_SERVING)
	reflection.Register(s.grpc)
	o.Metrics.InitializeMetrics(s.grpc)
	return s
}

// Serve answers calls until the server is drained or stopped.
func (s *Server) Serve(l net.Listener) error {
	if err := s.grpc.Serve(l); err != nil && !errors.Is(err, grpc.ErrServerStopped) {
		return fmt.Errorf("grpc: %w", err)
	}
	return nil
}

// Drain ends all streams cleanly, lets calls under way finish, takes no new
// ones, and stops for good when ctx ends.
func (s *Server) Drain(ctx context.Context) {
	s.health.Shutdown()
	s.drain.Do(func() { close(s.draining) })
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		s.grpc.GracefulStop()
	}()
	select {
	case <-stopped:
	case <-ctx.Done():
		s.grpc.Stop()
		<-stopped
	}
}
