package exporter

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/resource"
	metrics "go.opentelemetry.io/proto/otlp/metrics/v1"
	"google.golang.org/grpc/codes"

	"github.com/pidometer/pidometer/internal/otlptest"
)

func TestFirstDataArrivesAtOnce(t *testing.T) {
	begin := time.Now()
	receiver := otlptest.Start(t)
	exp := start(t, WithEndpoint(receiver.Addr))
	gauge(t, exp, scopeName, "x", 7)
	flush(t, exp)
	receiver.WaitFor(t, "data", otlptest.AtLeast(1))
	t.Logf("first data %v after start", time.Since(begin))
	if s := exp.Stats(); s.Passes != 1 || s.Points != 1 || s.Requests != 1 || s.LastSuccess.IsZero() || s.LastError != nil {
		t.Errorf("%+v", s)
	}
}

func TestOptionsAreChecked(t *testing.T) {
	for _, tc := range []struct {
		opt  Option
		want string
	}{
		{WithInterval(0), "interval 0s is not above zero"},
		{WithInterval(-time.Second), "interval -1s is not above zero"},
		{WithTimeout(-1), "timeout -1ns is not above zero"},
		{WithBatch(0), "batch 0 is not above zero"},
		{WithEndpoint("ftp://x"), "scheme"},
	} {
		if _, err := New(t.Context(), tc.opt); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%v, want %q", err, tc.want)
		}
	}
}

func TestIntervalAndTimeout(t *testing.T) {
	for _, tc := range []struct {
		interval, timeout         string // variables
		opts                      []Option
		wantInterval, wantTimeout time.Duration
		wantErr                   string
	}{
		{"", "", nil, 15 * time.Second, 15 * time.Second, ""},
		{"60000", "", nil, time.Minute, 30 * time.Second, ""},
		{"60000", "5000", nil, time.Minute, 5 * time.Second, ""},
		{"60000", "5000", []Option{WithInterval(time.Second)}, time.Second, 5 * time.Second, ""},
		{"", "", []Option{WithTimeout(time.Second)}, 15 * time.Second, time.Second, ""},
		{"abc", "", nil, 0, 0, "OTEL_METRIC_EXPORT_INTERVAL"},
		{"-1", "", nil, 0, 0, "milliseconds above zero"},
		{"", "9223372036854775807", nil, 0, 0, "OTEL_METRIC_EXPORT_TIMEOUT"},
		{"abc", "", []Option{WithInterval(time.Second)}, time.Second, 10 * time.Second, ""},
	} {
		t.Setenv("OTEL_METRIC_EXPORT_INTERVAL", tc.interval)
		t.Setenv("OTEL_METRIC_EXPORT_TIMEOUT", tc.timeout)
		c, err := newConfig(tc.opts).resolve()
		if tc.wantErr != "" {
			if err == nil || !strings.Contains(err.Error(), tc.wantErr) {
				t.Errorf("%+v: %v", tc, err)
			}
			continue
		}
		if err != nil || c.interval != tc.wantInterval || c.timeout != tc.wantTimeout {
			t.Errorf("%+v: %v, %v, %v", tc, c.interval, c.timeout, err)
		}
	}
}

func TestResource(t *testing.T) {
	host := attribute.String("host.id", "abc")
	for _, tc := range []struct {
		name, service, attrs string
		found                []attribute.KeyValue
		want                 map[string]string
	}{
		{"nothing", "", "", nil, map[string]string{"service.name": "pidometer", "telemetry.sdk.language": "go"}},
		{"host.id is the instance", "", "", []attribute.KeyValue{host}, map[string]string{"service.instance.id": "abc", "host.id": "abc"}},
		{"host.id is no instance of another service", "shop", "", []attribute.KeyValue{host}, map[string]string{"service.name": "shop", "host.id": "abc", "service.instance.id": ""}},
		{"found over default", "", "", []attribute.KeyValue{attribute.String("service.name", "shop")}, map[string]string{"service.name": "shop"}},
		{"environment over found", "", "host.id=env,service.name=x", []attribute.KeyValue{host}, map[string]string{"host.id": "env", "service.name": "x"}},
		{"OTEL_SERVICE_NAME over all", "y", "service.name=x", nil, map[string]string{"service.name": "y"}},
		{"given instance", "", "service.instance.id=i", []attribute.KeyValue{host}, map[string]string{"service.instance.id": "i"}},
		{"invalid UTF-8", "", "place=caf%E9", []attribute.KeyValue{attribute.String("host.name", "h\xff")}, map[string]string{"place": `caf\xe9`, "host.name": `h\xff`}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Setenv("OTEL_SERVICE_NAME", tc.service)
			t.Setenv("OTEL_RESOURCE_ATTRIBUTES", tc.attrs)
			res, err := Resource(t.Context(), tc.found...)
			if err != nil {
				t.Fatal(err)
			}
			checkResource(t, res, tc.want)
		})
	}
}

// checkResource compares attributes; "" stands for a UUID.
func checkResource(t *testing.T, res *resource.Resource, want map[string]string) {
	t.Helper()
	for key, text := range want {
		v, _ := res.Set().Value(attribute.Key(key))
		if got := v.AsString(); got != text && (text != "" || len(got) != 36) {
			t.Errorf("%s is %q, want %q", key, got, text)
		}
	}
	if !res.Set().HasValue("service.instance.id") || res.SchemaURL() == "" {
		t.Errorf("incomplete: %v", res)
	}
	for _, kv := range res.Attributes() {
		if strings.HasPrefix(string(kv.Key), "process.") {
			t.Errorf("%v must not be there", kv)
		}
	}
}

// TestEveryStringArrives puts a bad byte into every place where a string can stand.
func TestEveryStringArrives(t *testing.T) {
	const bad, good = "\xff", `\xff`
	t.Setenv("OTEL_RESOURCE_ATTRIBUTES", "place=caf%E9,k%E9y=v,k\xe9y2=v")
	for _, protocol := range []protocol{protocolGRPC, protocolHTTP} {
		t.Run(string(protocol), func(t *testing.T) {
			t.Setenv("OTEL_EXPORTER_OTLP_PROTOCOL", string(protocol))
			receiver := otlptest.Start(t)
			if protocol == protocolHTTP {
				receiver = otlptest.StartHTTP(t)
			}
			exp := start(t, WithEndpoint(receiver.Addr), WithResource(attribute.String("r"+bad, bad)), WithProducer(badProducer{}))
			meter := exp.MeterProvider().Meter("scope"+bad, metric.WithInstrumentationVersion(bad), metric.WithSchemaURL(bad),
				metric.WithInstrumentationAttributes(attribute.String("s"+bad, bad)))
			histogram, err := meter.Float64Histogram("histogram", metric.WithUnit(bad), metric.WithDescription(bad))
			if err != nil {
				t.Fatal(err)
			}
			histogram.Record(t.Context(), 1, metric.WithAttributes(attribute.String("h", bad)))
			gauge(t, exp, "plain", "x", 1, attribute.String("text", bad), attribute.StringSlice("list", []string{"a", bad}),
				attribute.String("k"+bad, "v"), attribute.KeyValue{Key: "map", Value: attribute.MapValue(attribute.String(bad, bad))},
				attribute.KeyValue{Key: "slice", Value: attribute.SliceValue(attribute.StringValue(bad), attribute.IntValue(1))})
			gauge(t, exp, "plain", "untouched", 2, attribute.String("text", "fine"))
			flush(t, exp)
			all := receiver.WaitFor(t, "data", otlptest.AtLeast(1))[0].String()
			for _, want := range []string{
				"k" + good, "scope" + good, "r" + good, "s" + good, `caf\xe9`, inVariable(`k\xe9y2`), "produced" + good, "untouched", "fine", "histogram",
			} {
				if !strings.Contains(all, strings.ReplaceAll(want, `\`, `\\`)) {
					t.Errorf("%s is missing in %s", want, all)
				}
			}
			if n := otlptest.Points(receiver.Requests()...); n != 8 {
				t.Errorf("%d points arrived, want 8", n)
			}
			if exp.Stats().Repaired == 0 {
				t.Error("nothing counted")
			}
		})
	}
}

// badProducer makes points of the kinds that instruments do not.
type badProducer struct{}

func (badProducer) Produce(context.Context) ([]metricdata.ScopeMetrics, error) {
	set := attribute.NewSet(attribute.String("p", "\xff"))
	exemplars := []metricdata.Exemplar[float64]{{FilteredAttributes: []attribute.KeyValue{attribute.String("e", "\xff")}}}
	return []metricdata.ScopeMetrics{{Metrics: []metricdata.Metrics{
		{Name: "produced\xff", Data: metricdata.Summary{DataPoints: []metricdata.SummaryDataPoint{{Attributes: set, QuantileValues: []metricdata.QuantileValue{{Quantile: 1}}}}}},
		{Name: "exponential", Data: metricdata.ExponentialHistogram[float64]{Temporality: metricdata.CumulativeTemporality,
			DataPoints: []metricdata.ExponentialHistogramDataPoint[float64]{{Attributes: set, Exemplars: exemplars}}}},
		{Name: "histogram", Data: metricdata.Histogram[int64]{Temporality: metricdata.CumulativeTemporality,
			DataPoints: []metricdata.HistogramDataPoint[int64]{{Attributes: set, BucketCounts: []uint64{1}}}}},
		{Name: "sum", Data: metricdata.Sum[float64]{Temporality: metricdata.CumulativeTemporality,
			DataPoints: []metricdata.DataPoint[float64]{{Attributes: set, Exemplars: exemplars}}}},
		{Name: "gauge", Data: metricdata.Gauge[float64]{DataPoints: []metricdata.DataPoint[float64]{{Attributes: set}}}},
	}}}, nil
}

// TestOnlyTheInvalidIsCopied checks the repairs, and that what is valid is not
// touched.
func TestOnlyTheInvalidIsCopied(t *testing.T) {
	good, bad := attribute.NewSet(attribute.String("a", "b")), attribute.NewSet(attribute.String("a", "\xff"))
	out := &sink{}
	d := Decorate(out)
	rm := sums("s", "m", metricdata.DataPoint[int64]{Attributes: good}, metricdata.DataPoint[int64]{Attributes: bad})
	if err := d.Export(t.Context(), rm); err != nil {
		t.Fatal(err)
	}
	pts := out.got[0].ScopeMetrics[0].Metrics[0].Data.(metricdata.Sum[int64]).DataPoints
	if pts[0].Attributes != good {
		t.Error("a valid set was replaced")
	}
	if v, _ := pts[1].Attributes.Value("a"); v.AsString() != `\xff` {
		t.Errorf("%q", v.AsString())
	}
	if len(d.repair.sets) != 4 { // and the one in place of the bad one, and the resource's
		t.Errorf("%d sets are remembered", len(d.repair.sets))
	}
	_ = d.Export(t.Context(), sums("s", "m", metricdata.DataPoint[int64]{Attributes: good}))
	if len(d.repair.sets) != 2 {
		t.Errorf("%d sets are remembered after one has gone", len(d.repair.sets))
	}
}

func FuzzRepairValue(f *testing.F) {
	f.Add("a", "\xff", "\xc3\x28")
	f.Fuzz(func(t *testing.T, a, b, c string) {
		kv := attribute.KeyValue{Key: attribute.Key(a), Value: attribute.MapValue(
			attribute.String(b, c), attribute.StringSlice("l", []string{a, b}),
			attribute.KeyValue{Key: "n", Value: attribute.SliceValue(attribute.StringValue(c), attribute.MapValue(attribute.String(c, a)))})}
		valid := utf8.ValidString(a) && utf8.ValidString(b) && utf8.ValidString(c)
		if badAttr(kv) == valid {
			t.Fatalf("valid is %v", valid)
		}
		if fixed := repairAll([]attribute.KeyValue{kv})[0]; badAttr(fixed) || valid && fixed != kv {
			t.Errorf("%v became %v", kv, fixed)
		}
	})
}

func TestStartTimes(t *testing.T) {
	receiver := otlptest.Start(t)
	exp := start(t, WithEndpoint(receiver.Addr), WithScopes(scopeName))
	boot := time.Now().Add(-time.Hour).Truncate(time.Second)
	observed := attribute.NewSet(attribute.String("series", "known\xff"))
	for _, scope := range []string{scopeName, "example.com/others"} {
		meter := exp.MeterProvider().Meter(scope)
		for _, name := range []string{"known", "late", "unknown", "never"} {
			counter, _ := meter.Float64ObservableCounter(name)
			up, _ := meter.Int64ObservableUpDownCounter("up." + name)
			_, err := meter.RegisterCallback(func(_ context.Context, o metric.Observer) error {
				o.ObserveFloat64(counter, 1, metric.WithAttributeSet(observed))
				o.ObserveInt64(up, 1, metric.WithAttributeSet(observed))
				return nil
			}, counter, up)
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	exp.UseStartTimes(func(name string, series attribute.Set) (time.Time, bool) {
		switch {
		case series != observed:
			t.Errorf("asked for %v", series)
		case strings.HasSuffix(name, "unknown"):
			return time.Time{}, false
		case strings.HasSuffix(name, "late"):
			return time.Now().Add(time.Hour), true
		case strings.HasSuffix(name, "never"):
			return time.Time{}, true
		}
		return boot, true
	})
	flush(t, exp)
	n := 0
	otlptest.Walk(receiver.WaitFor(t, "data", otlptest.AtLeast(1)), func(_ *metrics.ResourceMetrics, s *metrics.ScopeMetrics, m *metrics.Metric) {
		want := s.Scope.Name == scopeName && strings.HasSuffix(m.Name, "known") && !strings.HasSuffix(m.Name, "unknown")
		p := m.GetSum().DataPoints[0]
		if is := p.StartTimeUnixNano == uint64(boot.UnixNano()); is != want {
			t.Errorf("%s %s: rewritten %v, want %v", s.Scope.Name, m.Name, is, want)
		}
		n++
	})
	if n != 16 {
		t.Errorf("%d metrics", n)
	}
}

// TestCallbackError checks that the other instruments still arrive, and that it is
// told once.
func TestCallbackError(t *testing.T) {
	receiver, log := otlptest.Start(t), &book{}
	exp := start(t, WithEndpoint(receiver.Addr), WithLogger(log.logger()), WithProducer(badProducer{}))
	gauge(t, exp, scopeName, "fine", 1)
	failing := true
	observe(t, exp, scopeName, "failing", func(o metric.Int64Observer) error {
		o.Observe(1)
		if failing {
			return errors.New("as the test wants it")
		}
		return nil
	})
	for range 3 {
		if err := exp.ForceFlush(t.Context()); err == nil {
			t.Error("the flush hides the error")
		}
	}
	failing = false
	flush(t, exp)
	got := receiver.WaitFor(t, "all passes", otlptest.AtLeast(4))
	if n := len(otlptest.Numbers(got, "fine")); n != 4 {
		t.Errorf("%d points arrived, want 4", n)
	}
	if n := otlptest.Points(got...); n != 4*7 {
		t.Errorf("%d points arrived, want 28", n)
	}
	if lines := log.lines(); len(lines) != 1 || len(log.lines("level=WARN", "as the test wants it")) != 1 {
		t.Errorf("%q", lines)
	}
}

// TestInterval runs the loop in fake time.
func TestInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := &sink{}
		d := newDecorator(out, newConfig(nil))
		r := newReader(d, config{interval: 10 * time.Second, timeout: 10 * time.Second})
		provider := sdkmetric.NewMeterProvider(sdkmetric.WithReader(r), sdkmetric.WithResource(resource.Empty()))
		var left []time.Duration
		_, err := provider.Meter("m").Int64ObservableGauge("g", metric.WithInt64Callback(func(ctx context.Context, o metric.Int64Observer) error {
			end, _ := ctx.Deadline()
			left = append(left, time.Until(end))
			o.Observe(1)
			return nil
		}))
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(35 * time.Second) // fake
		synctest.Wait()
		if len(out.got) != 3 || left[0] != 5*time.Second {
			t.Errorf("%d passes, with %v for the callback", len(out.got), left)
		}
		if err := provider.Shutdown(t.Context()); err != nil || len(out.got) != 4 {
			t.Errorf("%v, %d passes", err, len(out.got))
		}
	})
}

// TestShutdownIsBounded has a callback that is stuck for good.
func TestShutdownIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newReader(newDecorator(&sink{}, newConfig(nil)), config{interval: time.Second, timeout: time.Second})
		provider := sdkmetric.NewMeterProvider(sdkmetric.WithReader(r), sdkmetric.WithResource(resource.Empty()))
		release := make(chan struct{})
		_, err := provider.Meter("m").Int64ObservableGauge("g", metric.WithInt64Callback(func(context.Context, metric.Int64Observer) error {
			<-release
			return nil
		}))
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(1500 * time.Millisecond) // fake: the callback is stuck now
		begin := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := provider.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) || time.Since(begin) != time.Second {
			t.Errorf("%v after %v", err, time.Since(begin))
		}
		close(release)
	})
}

func TestShutdown(t *testing.T) {
	receiver := otlptest.Start(t)
	exp := start(t, WithEndpoint(receiver.Addr))
	gauge(t, exp, scopeName, "x", 1)
	over, cancel := context.WithCancel(t.Context())
	cancel()
	results := make(chan error)
	for range 3 {
		go func() { results <- exp.Shutdown(over) }()
	}
	for range 3 {
		if err := <-results; err != nil {
			t.Error(err)
		}
	}
	if n := len(receiver.Requests()); n != 1 {
		t.Errorf("%d requests with a context that is over, want 1", n)
	}
	if exp.ForceFlush(t.Context()) == nil {
		t.Error("a flush after shutdown says that it worked")
	}
}

// TestShutdownIsNotHeldUp has a flush of the program hang on a receiver that does
// not answer; the last pass must get through nevertheless.
func TestShutdownIsNotHeldUp(t *testing.T) {
	receiver := otlptest.Start(t)
	hanging := make(chan struct{})
	var calls atomic.Int32
	receiver.Answer(func(ctx context.Context, _ *otlptest.Request) (*otlptest.Response, error) {
		if calls.Add(1) == 1 {
			close(hanging)
			<-ctx.Done()
		}
		return nil, ctx.Err()
	})
	exp := start(t, WithEndpoint(receiver.Addr))
	gauge(t, exp, scopeName, "x", 1)
	flushed := make(chan error)
	go func() { flushed <- exp.ForceFlush(context.Background()) }()
	<-hanging
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	if err := exp.Shutdown(ctx); err != nil || len(receiver.Requests()) != 1 {
		t.Errorf("%v, %d requests", err, len(receiver.Requests()))
	}
	if err := <-flushed; err == nil {
		t.Error("the flush that was cut off says that it worked")
	}
}

func TestShutdownTellsItsFailure(t *testing.T) {
	receiver := otlptest.Start(t)
	receiver.Answer(otlptest.Refuse(codes.InvalidArgument))
	exp := start(t, WithEndpoint(receiver.Addr))
	gauge(t, exp, scopeName, "x", 1)
	first, second := exp.Shutdown(t.Context()), exp.Shutdown(t.Context())
	if first == nil || first != second {
		t.Errorf("%v, then %v", first, second)
	}
}

// TestDecorateForeignReader uses the decorator in a pipeline of the SDK alone.
func TestDecorateForeignReader(t *testing.T) {
	out := &sink{fail: func(*metricdata.ResourceMetrics) error { return errors.New("down") }}
	log := &book{}
	provider := sdkmetric.NewMeterProvider(sdkmetric.WithReader(
		sdkmetric.NewPeriodicReader(Decorate(out, WithLogger(log.logger())), sdkmetric.WithInterval(rarely))))
	counter, _ := provider.Meter("m").Int64Counter("c")
	counter.Add(t.Context(), 1)
	if err := provider.ForceFlush(t.Context()); err == nil {
		t.Error("the flush hides the failure")
	}
	if err := provider.Shutdown(t.Context()); err == nil {
		t.Error("the shutdown hides the failure")
	}
	if len(log.lines("level=WARN")) != 1 {
		t.Errorf("%q", log.lines())
	}
}
