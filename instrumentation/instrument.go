package instrumentation

import (
	"go.opentelemetry.io/otel/metric"

	"github.com/pidometer/pidometer/semconv"
)

// newInstrument makes the asynchronous instrument that a row of the catalogue
// describes.
func newInstrument(meter metric.Meter, m *semconv.Metric) (instrument, metric.Observable, error) {
	if m.Float() {
		f, err := newFloat(meter, m)
		return instrument{float: f}, f, err
	}
	i, err := newInteger(meter, m)
	return instrument{integer: i}, i, err
}

func newFloat(meter metric.Meter, m *semconv.Metric) (metric.Float64Observable, error) {
	description, unit := metric.WithDescription(m.Brief), metric.WithUnit(m.Unit)
	switch m.Kind {
	case semconv.Counter:
		return meter.Float64ObservableCounter(m.Name, description, unit)
	case semconv.UpDownCounter:
		return meter.Float64ObservableUpDownCounter(m.Name, description, unit)
	default:
		return meter.Float64ObservableGauge(m.Name, description, unit)
	}
}

func newInteger(meter metric.Meter, m *semconv.Metric) (metric.Int64Observable, error) {
	description, unit := metric.WithDescription(m.Brief), metric.WithUnit(m.Unit)
	switch m.Kind {
	case semconv.Counter:
		return meter.Int64ObservableCounter(m.Name, description, unit)
	case semconv.UpDownCounter:
		return meter.Int64ObservableUpDownCounter(m.Name, description, unit)
	default:
		return meter.Int64ObservableGauge(m.Name, description, unit)
	}
}
