package exporter

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"time"

	"go.opentelemetry.io/otel/attribute"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
)

// StartTimes tells when a series of a metric began to count. The second result is
// false for a series that it does not know.
type StartTimes = func(metric string, series attribute.Set) (time.Time, bool)

// Defaults.
const (
	// DefaultInterval is the time between two passes if neither [WithInterval]
	// nor OTEL_METRIC_EXPORT_INTERVAL says otherwise.
	DefaultInterval = 15 * time.Second
	// DefaultBatch is the most points in one request if [WithBatch] does not say
	// otherwise.
	DefaultBatch = 8000
	// DefaultDeadline is how long the last flush may take. Docker kills ten
	// seconds after it has asked.
	DefaultDeadline = 8 * time.Second

	// defaultDelay and defaultEventBatch are how long an event waits for others, and
	// how many need not wait, as the specification has them (Batch LogRecord
	// Processor).
	defaultDelay      = time.Second
	defaultEventBatch = 512

	// leastTimeout is what a pass may take however short the interval is: with a
	// second for thousands of processes and a slow receiver nothing would arrive.
	leastTimeout = 10 * time.Second
	// defaultTimeout is that of the specification (OTEL_METRIC_EXPORT_TIMEOUT).
	defaultTimeout = 30 * time.Second
)

// Option changes what [New] and [Decorate] make.
type Option interface {
	apply(config) config
}

type config struct {
	endpoint  endpoint
	events    endpoint
	kinds     [len(payloads)]string // of exporters, as OTEL_METRICS_EXPORTER spells them
	url       string
	interval  time.Duration
	timeout   time.Duration
	attrs     []attribute.KeyValue
	scopes    []string
	producers []sdkmetric.Producer
	starts    StartTimes
	log       *slog.Logger
	batch     int
	observed  bool // what becomes of passes is told as metrics
	identity  Identity
	queue     queueBounds
	pace      pace // of events
	err       error
}

type optionFunc func(config) config

func (f optionFunc) apply(c config) config { return f(c) }

// WithEndpoint sets where the metrics go and beats OTEL_EXPORTER_OTLP_ENDPOINT.
// Every common spelling is understood: host, host:port, [::1]:4317, http://,
// https://, grpc:// and grpcs://, for OTLP/HTTP with a path. The scheme says
// whether TLS is used; without one, loopback is plaintext and anything else is
// TLS, unless OTEL_EXPORTER_OTLP_INSECURE says otherwise. An empty url is as none.
func WithEndpoint(url string) Option {
	return optionFunc(func(c config) config {
		c.url = url
		return c
	})
}

// WithInterval sets the time between two passes and beats
// OTEL_METRIC_EXPORT_INTERVAL.
func WithInterval(d time.Duration) Option {
	return optionFunc(func(c config) config {
		c.interval = d
		return c.check(d > 0, "interval %v is not above zero; write one such as 15s", d)
	})
}

// WithTimeout sets how long reading and sending one pass may take together, and
// beats OTEL_METRIC_EXPORT_TIMEOUT. It is never longer than the interval, or ten
// seconds where the interval is shorter: a pass that takes long is better than none.
func WithTimeout(d time.Duration) Option {
	return optionFunc(func(c config) config {
		c.timeout = d
		return c.check(d > 0, "timeout %v is not above zero; write one such as 10s", d)
	})
}

// WithResource adds attributes to the resource that all metrics carry. What the
// environment says of the same key wins.
func WithResource(attrs ...attribute.KeyValue) Option {
	return optionFunc(func(c config) config {
		c.attrs = append(c.attrs, attrs...)
		return c
	})
}

// WithScopes names the instrumentation scopes whose start times are asked for.
// Points of any other scope keep theirs.
func WithScopes(names ...string) Option {
	return optionFunc(func(c config) config {
		c.scopes = append(c.scopes, names...)
		return c
	})
}

// WithStartTimes sets the source of start times, as [Exporter.UseStartTimes] does
// later.
func WithStartTimes(f StartTimes) Option {
	return optionFunc(func(c config) config {
		c.starts = f
		return c
	})
}

// WithProducer adds a source of metrics beside the instruments. The points that it
// returns may be rewritten in place.
func WithProducer(p sdkmetric.Producer) Option {
	return optionFunc(func(c config) config {
		c.producers = append(c.producers, p)
		return c
	})
}

// WithBatch sets the most points in one request.
func WithBatch(points int) Option {
	return optionFunc(func(c config) config {
		c.batch = points
		return c.check(points > 0, "batch %d is not above zero; write one such as %d", points, DefaultBatch)
	})
}

// WithEventQueue sets how many events, and how many bytes of them, wait at most for a
// receiver that does not answer, and beats OTEL_BLRP_MAX_QUEUE_SIZE. What is more goes
// at the old end, counted and told.
func WithEventQueue(events, bytes int) Option {
	return optionFunc(func(c config) config {
		c.queue = queueBounds{events: events, bytes: bytes}
		return c.check(events > 0 && bytes > 0, "an event queue of %d events and %d bytes holds nothing; write such as %d and %d",
			events, bytes, DefaultEvents, DefaultEventBytes)
	})
}

// WithIdentity sets where the identity of processes stands. Only [New] takes it, and
// only for the scopes of [WithScopes].
func WithIdentity(i Identity) Option {
	return optionFunc(func(c config) config {
		c.identity = i
		return c.check(i == IdentityPoint || i == IdentityResource, "identity %q is unknown; write %s or %s", i, IdentityPoint, IdentityResource)
	})
}

// LoggerOption is an option of [New], [Decorate] and [Run].
type LoggerOption struct{ log *slog.Logger }

// WithLogger sets who is told of an outage, once when it begins and once when it
// is over. Without a logger the beginning goes to the error handler of package
// otel.
func WithLogger(log *slog.Logger) LoggerOption { return LoggerOption{log} }

func (o LoggerOption) apply(c config) config {
	c.log = o.log
	return c
}

func newConfig(opts []Option) config {
	c := config{batch: DefaultBatch, identity: IdentityPoint, pace: defaultPace}
	for _, o := range opts {
		c = o.apply(c)
	}
	return c
}

// resolve fills in from the environment and the defaults what no option has set.
func (c config) resolve() (config, error) {
	for what := range c.kinds {
		c.kinds[what], _ = kindOf(payload(what), c.url)
	}
	if err := checkVariables(); err != nil {
		return c, err
	}
	var errs [7]error
	c.endpoint, errs[0] = c.place(metricsPayload)
	c.events, errs[1] = c.place(eventsPayload)
	c.interval, errs[2] = orMillis(c.interval, "OTEL_METRIC_EXPORT_INTERVAL", DefaultInterval)
	c.timeout, errs[3] = orMillis(c.timeout, "OTEL_METRIC_EXPORT_TIMEOUT", defaultTimeout)
	c.timeout = min(c.timeout, max(c.interval, leastTimeout))
	c.pace.delay, errs[4] = orMillis(c.pace.delay, "OTEL_BLRP_SCHEDULE_DELAY", defaultDelay)
	c.queue.events, errs[5] = orCount(c.queue.events, "OTEL_BLRP_MAX_QUEUE_SIZE", DefaultEvents)
	c.queue.bytes = cmp.Or(c.queue.bytes, DefaultEventBytes)
	c.queue.batch, errs[6] = orCount(0, "OTEL_BLRP_MAX_EXPORT_BATCH_SIZE", defaultEventBatch)
	if c.identity == IdentityResource && len(c.scopes) == 0 {
		c = c.check(false, "identity %s is for the scopes of WithScopes, and there are none", IdentityResource)
	}
	return c, distinct(append(errs[:], c.err)...)
}

// distinct joins errors, but each text once: a general variable speaks of both
// payloads.
func distinct(errs ...error) error {
	var kept []error
	for _, err := range errs {
		if err != nil && !slices.ContainsFunc(kept, func(have error) bool { return have.Error() == err.Error() }) {
			kept = append(kept, err)
		}
	}
	return errors.Join(kept...)
}

// orMillis returns d if it was set, else the variable in milliseconds, else def.
func orMillis(d time.Duration, name string, def time.Duration) (time.Duration, error) {
	text := getenv(name)
	if d != 0 || text == "" {
		if d == 0 {
			d = def
		}
		return d, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if most := int64(1<<63-1) / int64(time.Millisecond); err != nil || n <= 0 || n > most {
		return 0, fmt.Errorf("%s=%q is no number of milliseconds above zero; write one such as %d", name, text, def.Milliseconds())
	}
	return time.Duration(n) * time.Millisecond, nil
}

// orCount returns n if it was set, else the variable, else def.
func orCount(n int, name string, def int) (int, error) {
	text := getenv(name)
	if n != 0 || text == "" {
		return cmp.Or(n, def), nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n <= 0 {
		return 0, fmt.Errorf("%s=%q is no number above zero; write one such as %d", name, text, def)
	}
	return n, nil
}

func (c config) check(ok bool, format string, args ...any) config {
	if !ok {
		c.err = errors.Join(c.err, fmt.Errorf(format, args...))
	}
	return c
}
