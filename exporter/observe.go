package exporter

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
)

// WithSelfObservation reports what became of passes and events as metrics too, under
// names that begin with pidometer.exporter and the scope [ScopeName]. [SelfMetrics]
// lists them. What a pass says of deliveries is what was known when it began: it can't
// tell of its own.
func WithSelfObservation() Option {
	return optionFunc(func(c config) config {
		c.observed = true
		return c
	})
}

// SelfMetric is a metric that [WithSelfObservation] adds.
type SelfMetric struct {
	Name, Unit, Brief string
	Kind              string // counter, updowncounter or gauge
	Attributes        []attribute.Key
}

// The attributes of these metrics.
const (
	signalKey  = attribute.Key("pidometer.exporter.signal")  // metrics or events
	outcomeKey = attribute.Key("pidometer.exporter.outcome") // delivered, lost, refused; of events also dropped, untaken
)

const (
	counterKind       = "counter"
	upDownCounterKind = "updowncounter"
	gaugeKind         = "gauge"
)

// figure is one value of a row, with its attribute, and false if there is none.
type figure struct {
	attr attribute.KeyValue
	of   func(*Stats) (int64, bool)
}

// selfRow is one metric and where its values come from.
type selfRow struct {
	SelfMetric
	figures []figure
}

// always makes a figure of a number that is always known.
func always(attr attribute.KeyValue, of func(*Stats) int64) figure {
	return figure{attr, func(s *Stats) (int64, bool) { return of(s), true }}
}

var (
	ofMetrics = signalKey.String(metricsPayload.String())
	ofEvents  = signalKey.String(eventsPayload.String())
)

var selfRows = []selfRow{
	{SelfMetric{"pidometer.exporter.points", "{point}", "Points by what became of them.", counterKind, []attribute.Key{outcomeKey}}, []figure{
		always(outcomeKey.String("delivered"), func(s *Stats) int64 { return s.Points }),
		always(outcomeKey.String("lost"), func(s *Stats) int64 { return s.Lost }),
		always(outcomeKey.String("refused"), func(s *Stats) int64 { return s.Refused }),
	}},
	{SelfMetric{"pidometer.exporter.events", "{event}", "Events by what became of them.", counterKind, []attribute.Key{outcomeKey}}, []figure{
		always(outcomeKey.String("delivered"), func(s *Stats) int64 { return s.Events }),
		always(outcomeKey.String("dropped"), func(s *Stats) int64 { return s.EventsDropped }),
		always(outcomeKey.String("lost"), func(s *Stats) int64 { return s.EventsLost }),
		always(outcomeKey.String("refused"), func(s *Stats) int64 { return s.EventsRefused }),
		always(outcomeKey.String("untaken"), func(s *Stats) int64 { return s.EventsUntaken }),
	}},
	{SelfMetric{"pidometer.exporter.event.queue.size", "{event}", "Events that wait for the receiver.", upDownCounterKind, nil}, []figure{
		always(attribute.KeyValue{}, func(s *Stats) int64 { return s.EventsWaiting }),
	}},
	{SelfMetric{"pidometer.exporter.requests", "{request}", "Requests made.", counterKind, []attribute.Key{signalKey}}, []figure{
		always(ofMetrics, func(s *Stats) int64 { return s.Requests }),
		always(ofEvents, func(s *Stats) int64 { return s.EventRequests }),
	}},
	{SelfMetric{"pidometer.exporter.outages", "{outage}", "Times at which deliveries began to fail.", counterKind, []attribute.Key{signalKey}}, []figure{
		always(ofMetrics, func(s *Stats) int64 { return s.Outages }),
		always(ofEvents, func(s *Stats) int64 { return s.EventOutages }),
	}},
	{SelfMetric{"pidometer.exporter.success.time", "s", "When a delivery last succeeded, in seconds since 1970.", gaugeKind, []attribute.Key{signalKey}}, []figure{
		{ofMetrics, func(s *Stats) (int64, bool) { return s.LastSuccess.Unix(), !s.LastSuccess.IsZero() }},
		{ofEvents, func(s *Stats) (int64, bool) { return s.LastEventSuccess.Unix(), !s.LastEventSuccess.IsZero() }},
	}},
	{SelfMetric{"pidometer.exporter.repairs", "{string}", "Strings that were not valid UTF-8 and have been escaped.", counterKind, []attribute.Key{signalKey}}, []figure{
		always(ofMetrics, func(s *Stats) int64 { return s.Repaired }),
		always(ofEvents, func(s *Stats) int64 { return s.EventsRepaired }),
	}},
	{SelfMetric{"pidometer.exporter.merged", "{point}", "Points that shared metric and attributes with another and became one with it.", counterKind, nil}, []figure{
		always(attribute.KeyValue{}, func(s *Stats) int64 { return s.Merged }),
	}},
}

// SelfMetrics returns what [WithSelfObservation] adds.
func SelfMetrics() (all []SelfMetric) {
	for _, r := range selfRows {
		all = append(all, r.SelfMetric)
	}
	return all
}

// observe makes the instruments of self-observation.
func (e *Exporter) observe() error {
	meter := e.provider.Meter(ScopeName, metric.WithSchemaURL(semconv.SchemaURL))
	instruments := make([]metric.Int64Observable, len(selfRows))
	observables := make([]metric.Observable, len(selfRows))
	for i, r := range selfRows {
		made, err := newInstrument(meter, r.SelfMetric)
		if err != nil {
			return err
		}
		instruments[i], observables[i] = made, made
	}
	_, err := meter.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		s := e.Stats()
		for i, r := range selfRows {
			for _, f := range r.figures {
				if v, ok := f.of(&s); ok {
					o.ObserveInt64(instruments[i], v, f.options()...)
				}
			}
		}
		return nil
	}, observables...)
	return err
}

func (f figure) options() []metric.ObserveOption {
	if !f.attr.Valid() {
		return nil
	}
	return []metric.ObserveOption{metric.WithAttributes(f.attr)}
}

func newInstrument(meter metric.Meter, m SelfMetric) (metric.Int64Observable, error) {
	description, unit := metric.WithDescription(m.Brief), metric.WithUnit(m.Unit)
	switch m.Kind {
	case counterKind:
		return meter.Int64ObservableCounter(m.Name, description, unit)
	case upDownCounterKind:
		return meter.Int64ObservableUpDownCounter(m.Name, description, unit)
	}
	return meter.Int64ObservableGauge(m.Name, description, unit)
}
