// Package autoproducer gives pidometer to programs that build their readers with
// autoexport, from environment variables:
//
//	autoproducer.Register()
//	reader, err := autoexport.NewMetricReader(ctx)
//	provider := metric.NewMeterProvider(metric.WithReader(reader))
//
// reports the host and the program itself where OTEL_METRICS_PRODUCERS=pidometer. It
// has a module of its own, since autoexport brings every exporter along that it may be
// asked for.
package autoproducer

import (
	"context"

	"go.opentelemetry.io/contrib/exporters/autoexport"
	"go.opentelemetry.io/otel/sdk/metric"

	"github.com/pidometer/pidometer/instrumentation"
	"github.com/pidometer/pidometer/instrumentation/producer"
)

// Name is what OTEL_METRICS_PRODUCERS calls pidometer.
const Name = "pidometer"

// Register makes the options what a reader gets that is asked for [Name]. It must be
// called once, before the first reader is built: a second call panics, as
// autoexport.RegisterMetricProducer does. Whatever is wrong with the options is an
// error of autoexport.NewMetricReader. A producer lives as long as the program:
// readers do not close theirs.
func Register(options ...instrumentation.Option) {
	autoexport.RegisterMetricProducer(Name, func(context.Context) (metric.Producer, error) {
		return producer.New(options...)
	})
}
