package otlptest

import (
	"context"
	"time"

	collector "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	metrics "go.opentelemetry.io/proto/otlp/metrics/v1"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
)

// Refuse answers every request with an error.
func Refuse(code codes.Code) Answer {
	return func(context.Context, *Request) (*Response, error) { return nil, Refused(code) }
}

// Refused is the error that [Refuse] answers with.
func Refused(code codes.Code) error { return status.Error(code, "as the test wants it") }

// RefuseOver answers requests of more than n points with ResourceExhausted.
func RefuseOver(n int) Answer {
	return func(_ context.Context, r *Request) (*Response, error) {
		if Points(r) > n {
			return nil, status.Errorf(codes.ResourceExhausted, "received %d points, %d bytes", Points(r), proto.Size(r))
		}
		return nil, nil
	}
}

// Delay answers after d, or not at all if the caller leaves before.
func Delay(d time.Duration) Answer {
	return func(ctx context.Context, _ *Request) (*Response, error) {
		timer := time.NewTimer(d)
		defer timer.Stop()
		select {
		case <-timer.C:
			return nil, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// Partial takes requests but says that it threw away some points.
func Partial(refused int64, message string) Answer {
	return func(context.Context, *Request) (*Response, error) {
		return &Response{
			PartialSuccess: &collector.ExportMetricsPartialSuccess{RejectedDataPoints: refused, ErrorMessage: message},
		}, nil
	}
}

// Points counts the points of requests.
func Points(requests ...*Request) int {
	n := 0
	Walk(requests, func(_ *metrics.ResourceMetrics, _ *metrics.ScopeMetrics, m *metrics.Metric) {
		n += len(m.GetGauge().GetDataPoints()) + len(m.GetSum().GetDataPoints()) + len(m.GetHistogram().GetDataPoints()) +
			len(m.GetExponentialHistogram().GetDataPoints()) + len(m.GetSummary().GetDataPoints())
	})
	return n
}

// Numbers returns the points of all gauges and sums of this name.
func Numbers(requests []*Request, name string) []*metrics.NumberDataPoint {
	var points []*metrics.NumberDataPoint
	Walk(requests, func(_ *metrics.ResourceMetrics, _ *metrics.ScopeMetrics, m *metrics.Metric) {
		if m.Name == name {
			points = append(points, m.GetGauge().GetDataPoints()...)
			points = append(points, m.GetSum().GetDataPoints()...)
		}
	})
	return points
}

// Walk shows every metric with its resource and scope.
func Walk(requests []*Request, f func(*metrics.ResourceMetrics, *metrics.ScopeMetrics, *metrics.Metric)) {
	for _, r := range requests {
		for _, rm := range r.ResourceMetrics {
			for _, sm := range rm.ScopeMetrics {
				for _, m := range sm.Metrics {
					f(rm, sm, m)
				}
			}
		}
	}
}
