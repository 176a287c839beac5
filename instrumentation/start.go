package instrumentation

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/pidometer/pidometer/internal/series"
	"github.com/pidometer/pidometer/semconv"
)

// ScopeName is the name of the instrumentation scope of all points.
const ScopeName = "github.com/pidometer/pidometer/instrumentation"

// Version is the version of this module that the scope carries.
const Version = "0.1.0"

// Registration is what [Start] began. It is safe for concurrent use.
type Registration struct {
	reader       *series.Reader
	registration metric.Registration
	provider     key
	instruments  []instrument // by index of [series.Reader.Metrics]
	own          []instrument // by index of [series.OwnMetrics]; nil if not wanted
	starts       starts

	once   sync.Once
	closed error
	panics struct {
		sync.Mutex
		last any
	}
}

// instrument is one asynchronous instrument: floats or integers, never both.
type instrument struct {
	integer metric.Int64Observable
	float   metric.Float64Observable
}

// Start reports the host and processes that the options choose, from now until
// Unregister. With no options that is this host and this process on the global
// MeterProvider. A second Start on the same MeterProvider is an error, since the
// SDK would add the values of both; so are an unknown metric name and a root that
// can't be read. On an operating system without a backend the error matches
// [errors.ErrUnsupported].
func Start(options ...Option) (*Registration, error) {
	c := newConfig(options)
	provider, err := claim(c.provider)
	if err != nil {
		return nil, err
	}
	r := &Registration{provider: provider}
	if err := r.start(c); err != nil {
		release(provider)
		return nil, err
	}
	return r, nil
}

func (r *Registration) start(c config) (err error) {
	if r.reader, err = c.open(); err != nil {
		return err
	}
	if c.provider == nil {
		c.provider = otel.GetMeterProvider()
	}
	meter := c.provider.Meter(ScopeName, metric.WithInstrumentationVersion(Version), metric.WithSchemaURL(semconv.SchemaURL))
	observables, err := r.create(meter)
	if err == nil {
		var own []metric.Observable
		own, err = r.createOwn(meter, c.observed)
		observables = append(observables, own...)
	}
	if err == nil {
		r.registration, err = meter.RegisterCallback(r.observe, observables...)
	}
	if err != nil {
		r.reader.Close()
		return fmt.Errorf("instruments: %w", err)
	}
	return nil
}

// create makes one instrument for every metric.
func (r *Registration) create(meter metric.Meter) ([]metric.Observable, error) {
	var observables []metric.Observable
	for i := range r.reader.Metrics() {
		m := &r.reader.Metrics()[i]
		made, observable, err := newInstrument(meter, m)
		if err != nil {
			return nil, err
		}
		r.instruments = append(r.instruments, made)
		observables = append(observables, observable)
	}
	return observables, nil
}

// observe is the one callback. It always returns nil: the SDK drops everything
// that the application measures in a cycle in which one callback fails, and a
// panic would end the application.
func (r *Registration) observe(ctx context.Context, observer metric.Observer) error {
	r.observeAll(ctx, observer)
	r.observeOwn(ctx, observer)
	return nil
}

func (r *Registration) observeAll(ctx context.Context, observer metric.Observer) {
	defer r.recover()
	r.starts.begin()
	r.reader.Collect(ctx, func(s *series.Series, v series.Number) {
		options := attributes(s)
		if in := r.instruments[s.Metric]; in.float != nil {
			observer.ObserveFloat64(in.float, v.Float, options...)
		} else {
			observer.ObserveInt64(in.integer, v.Int, options...)
		}
		r.starts.set(start{r.reader.Metrics()[s.Metric].Name, s.Set.Equivalent()}, s.Start)
	})
}

// attributes returns the options that carry a series' attributes, made once.
func attributes(s *series.Series) []metric.ObserveOption {
	if have, ok := s.Note.([]metric.ObserveOption); ok {
		return have
	}
	made := []metric.ObserveOption{metric.WithAttributeSet(s.Set)}
	s.Note = made
	return made
}

func (r *Registration) recover() {
	if p := recover(); p != nil {
		r.reader.Panicked()
		r.panics.Lock()
		r.panics.last = p
		r.panics.Unlock()
	}
}

// StartTime returns when the series of a metric with these attributes began: the
// boot of the host, the creation of a process, the appearance of a device. It is
// what an exporter needs to give points their true start, which the SDK does not
// know. False for a series that was not reported in the last two collections.
func (r *Registration) StartTime(metric string, attributes attribute.Set) (time.Time, bool) {
	return r.starts.get(start{metric, attributes.Equivalent()})
}

// Reset forgets all that was seen of counters: wraps, restarts, and who was
// selected. The next collection is like the first.
func (r *Registration) Reset() { r.reader.Pass().Reset() }

// Missed returns how often a source of the kernel gave nothing, by its name and
// the reason: denied, gone, unsupported, stuck or unknown.
func (r *Registration) Missed() map[string]map[string]uint64 { return r.reader.Missed() }

// Err returns the last panic that a collection recovered from, as an error, and
// nil if there was none. It is a fault in this package: please report it.
func (r *Registration) Err() error {
	r.panics.Lock()
	defer r.panics.Unlock()
	if r.panics.last == nil {
		return nil
	}
	return fmt.Errorf("pidometer: a collection panicked: %v", r.panics.last)
}

// Unregister ends the reports and frees what they held. It waits for a collection
// that is running, and must not be called from a callback. Later calls return
// what the first did.
func (r *Registration) Unregister() error {
	r.once.Do(func() {
		r.closed = errors.Join(r.registration.Unregister(), r.reader.Close())
		release(r.provider)
	})
	return r.closed
}
