package exporter

import (
	"context"
	"net/http"
	"time"

	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetricgrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
)

// How soon a failed request, or connection, is tried anew. Left alone, the
// exporters wait five seconds first, half of their own timeout, and gRPC waits up
// to two minutes before it dials again (otlpmetricgrpc v1.47.0, retry.DefaultConfig;
// grpc v1.85.0, backoff.DefaultConfig): an outage would outlive its cause.
const (
	firstRetry = 500 * time.Millisecond
	lastRetry  = 5 * time.Second
)

// newClient builds the SDK's exporter for an endpoint. All other OTEL_EXPORTER_OTLP_
// variables are read by it. What it would read of the endpoint variables is
// overridden, certificates in plaintext included: they would win over a http://
// in the gRPC exporter and be an error in the other.
func newClient(ctx context.Context, c config, v variables) (sdkmetric.Exporter, error) {
	byResource := c.identity == IdentityResource
	if c.endpoint.protocol == protocolHTTP {
		options := optionsHTTP(c.endpoint)
		if byResource {
			client := &http.Client{Transport: promoter{newTransport(v)}, Timeout: v.timeout}
			options = append(options, otlpmetrichttp.WithHTTPClient(client))
		}
		return otlpmetrichttp.New(ctx, options...)
	}
	dial := []grpc.DialOption{connecting()}
	if byResource {
		dial = append(dial, grpc.WithChainUnaryInterceptor(promoteGRPC))
	}
	return otlpmetricgrpc.New(ctx, append(optionsGRPC(c.endpoint), otlpmetricgrpc.WithDialOption(dial...))...)
}

func optionsGRPC(e endpoint) []otlpmetricgrpc.Option {
	opts := []otlpmetricgrpc.Option{
		otlpmetricgrpc.WithEndpointURL(e.url()),
		otlpmetricgrpc.WithRetry(otlpmetricgrpc.RetryConfig{
			Enabled: true, InitialInterval: firstRetry, MaxInterval: lastRetry, MaxElapsedTime: time.Minute,
		}),
	}
	if !e.tls {
		opts = append(opts, otlpmetricgrpc.WithTLSCredentials(insecure.NewCredentials()))
	}
	return opts
}

func optionsHTTP(e endpoint) []otlpmetrichttp.Option {
	opts := []otlpmetrichttp.Option{
		otlpmetrichttp.WithEndpointURL(e.url()),
		otlpmetrichttp.WithRetry(otlpmetrichttp.RetryConfig{
			Enabled: true, InitialInterval: firstRetry, MaxInterval: lastRetry, MaxElapsedTime: time.Minute,
		}),
	}
	if !e.tls {
		opts = append(opts, otlpmetrichttp.WithTLSClientConfig(nil))
	}
	return opts
}
