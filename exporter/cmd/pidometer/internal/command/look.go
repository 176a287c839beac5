package command

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/pidometer/pidometer/instrumentation/producer"
)

// look makes one pass, or two with time between them.
func look(ctx context.Context, source *producer.Producer, twice bool) ([][]metricdata.ScopeMetrics, error) {
	first, err := source.Produce(ctx)
	if err != nil || !twice {
		return [][]metricdata.ScopeMetrics{first}, err
	}
	timer := time.NewTimer(between)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	second, err := source.Produce(ctx)
	return [][]metricdata.ScopeMetrics{first, second}, err
}
