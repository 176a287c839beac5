package exporter

import (
	"cmp"
	"context"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/log"
	"google.golang.org/grpc/codes"

	"github.com/pidometer/pidometer/internal/otlptest"
)

// TestDrain tells how a shutdown went, as the last event and in a line, also with a
// context that is over.
func TestDrain(t *testing.T) {
	receivers(t, func(t *testing.T, receiver *otlptest.Receiver) {
		told := &book{}
		exp := start(t, WithEndpoint(receiver.Addr), WithLogger(told.logger()))
		gauge(t, exp, scopeName, "x", 1)
		emit(exp, 0, 1000)
		over, cancel := context.WithCancel(t.Context())
		cancel()
		if err := exp.Shutdown(over); err != nil {
			t.Error(err)
		}
		events := otlptest.Events(receiver.EventRequests())
		checkRow(t, numbersOf(events), 0, 1000)
		last := events[len(events)-1]
		said := map[string]int64{}
		for _, kv := range last.Attributes {
			said[strings.TrimPrefix(kv.Key, "pidometer.drain.")] = kv.Value.GetIntValue()
		}
		if last.EventName != DrainEvent || last.SeverityNumber != 9 || said["points"] != 1 || said["points_lost"] != 0 || said["events_lost"] != 0 || len(said) != 5 {
			t.Errorf("%v", last)
		}
		if len(told.lines()) != 1 || len(told.lines("level=INFO", "drained", "points=1", "points_lost=0", "events_lost=0", "after=")) != 1 {
			t.Errorf("%q", told.lines())
		}
		emit(exp, 0, 5) // goes nowhere, and harms nobody
		if err := exp.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// TestDrainTellsOfLosses.
func TestDrainTellsOfLosses(t *testing.T) {
	receiver := otlptest.Start(t)
	receiver.Answer(otlptest.Refuse(codes.InvalidArgument))
	exp := start(t, WithEndpoint(receiver.Addr))
	gauge(t, exp, scopeName, "x", 1)
	exp.LoggerProvider()
	if exp.Shutdown(t.Context()) == nil {
		t.Error("all went well")
	}
	events := otlptest.Events(receiver.EventRequests())
	if len(events) != 1 || events[0].SeverityNumber != 13 || !strings.Contains(events[0].String(), `"pidometer.drain.points_lost" value:{int_value:1}`) &&
		!strings.Contains(events[0].String(), `"pidometer.drain.points_lost"  value:{int_value:1}`) {
		t.Errorf("%v", events)
	}
}

// TestNobodyWantsEvents makes no request with events for whom has not asked.
func TestNobodyWantsEvents(t *testing.T) {
	receiver := otlptest.Start(t)
	exp := start(t, WithEndpoint(receiver.Addr))
	gauge(t, exp, scopeName, "x", 1)
	if err := exp.Shutdown(t.Context()); err != nil || len(receiver.EventRequests()) != 0 {
		t.Errorf("%v, %d requests", err, len(receiver.EventRequests()))
	}
}

// TestHangingEventsAreSentAgain when a shutdown begins: the request that hangs is cut
// off after a quarter of the time.
func TestHangingEventsAreSentAgain(t *testing.T) {
	receivers(t, func(t *testing.T, receiver *otlptest.Receiver) {
		told, hanging := &book{}, make(chan struct{})
		first := true
		receiver.AnswerEvents(func(ctx context.Context, _ *otlptest.EventsRequest) (*otlptest.EventsResponse, error) {
			if first {
				first = false
				close(hanging)
				<-ctx.Done()
			}
			return nil, ctx.Err()
		})
		exp := start(t, WithEndpoint(receiver.Addr), quick(), WithLogger(told.logger()))
		emit(exp, 0, 3)
		<-hanging
		emit(exp, 3, 6)
		ctx, cancel := context.WithTimeout(t.Context(), 4*time.Second)
		defer cancel()
		if err := exp.Shutdown(ctx); err != nil {
			t.Error(err)
		}
		checkRow(t, numbersOf(otlptest.Events(receiver.EventRequests())), 0, 6)
		if len(told.lines("level=WARN")) != 0 {
			t.Errorf("%q", told.lines())
		}
	})
}

// TestShutdownOfLoggersAlone works too, and that of all comes after it.
func TestShutdownOfLoggersAlone(t *testing.T) {
	receiver := otlptest.Start(t)
	exp := start(t, WithEndpoint(receiver.Addr))
	gauge(t, exp, scopeName, "x", 1)
	emit(exp, 0, 3)
	over, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if err := exp.LoggerProvider().Shutdown(over); err != nil {
		t.Error(err)
	}
	checkRow(t, numbersOf(otlptest.Events(receiver.EventRequests())), 0, 3)
	if err := exp.Shutdown(t.Context()); err != nil || len(receiver.Requests()) != 1 {
		t.Errorf("%v, %d requests", err, len(receiver.Requests()))
	}
}

// TestEventsLeftBehind are counted and told by number.
func TestEventsLeftBehind(t *testing.T) {
	told := &book{}
	exp := start(t, WithEndpoint("http://"+blackHole(t)), quick(), WithLogger(told.logger()))
	emit(exp, 0, 7)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	err := exp.Shutdown(ctx)
	if err == nil || !strings.Contains(err.Error(), "8 events are not delivered") { // with the one that tells so
		t.Error(err)
	}
	if s := exp.Stats(); s.EventsLost != 8 || s.EventsWaiting != 0 {
		t.Errorf("%+v", s)
	}
}

// outageEnv sets how long TestLongOutage takes, such as 60s.
const outageEnv = "EXPORTER_TEST_OUTAGE"

// TestLongOutage has the receiver go for a while in which 500 events and 12 passes
// come, at the exporter's own pace if the time is that of real life.
func TestLongOutage(t *testing.T) {
	const events, passes = 500, 12
	length, err := time.ParseDuration(cmp.Or(os.Getenv(outageEnv), "1200ms"))
	if err != nil {
		t.Fatal(err)
	}
	told := &book{}
	opts := []Option{WithInterval(length / passes), WithLogger(told.logger())}
	if length < 20*time.Second {
		opts = append(opts, quick())
	}
	first := otlptest.Start(t)
	exp := start(t, append(opts, WithEndpoint(first.Addr))...)
	gauge(t, exp, scopeName, "x", 1)
	exp.LoggerProvider()
	flush(t, exp)
	first.Stop()
	begin := time.Now()
	ticker := time.NewTicker(length / events)
	defer ticker.Stop()
	for i := range events {
		emit(exp, i, i+1)
		<-ticker.C
	}
	second := otlptest.StartAt(t, first.Addr)
	up := time.Now()
	metrics := make(chan time.Duration, 1)
	second.Answer(func(context.Context, *otlptest.Request) (*otlptest.Response, error) {
		select {
		case metrics <- time.Since(up):
		default:
		}
		return nil, nil
	})
	got := second.WaitForEvents(t, events)
	t.Logf("%v after %v of outage, all %d events were there", time.Since(up).Round(time.Millisecond), up.Sub(begin).Round(time.Millisecond), len(got))
	checkRow(t, numbersOf(got), 0, events)
	second.WaitFor(t, "the metrics of a cycle", otlptest.AtLeast(1))
	t.Logf("the metrics were there %v after it, of a cycle of %v", (<-metrics).Round(time.Millisecond), length/passes)
	settled(t, exp)
	recovered(t, exp)
	lines := told.lines()
	if len(lines) != 2 || len(told.lines("level=WARN", "are not delivered")) != 1 || len(told.lines("level=INFO", "are delivered again")) != 1 {
		t.Errorf("%q", lines)
	}
	if s := exp.Stats(); s.Events != events || s.EventsDropped+s.EventsLost != 0 {
		t.Errorf("%+v", s)
	}
	t.Log(lines)
}

// recovered waits until the exporter knows that all is well again.
func recovered(t *testing.T, exp *Exporter) {
	t.Helper()
	for end := time.Now().Add(otlptest.Patience); ; {
		s := exp.Stats()
		if s.LastError == nil && s.LastEventError == nil {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("%+v", s)
		}
		_ = exp.provider.ForceFlush(t.Context())
	}
}

// TestEventsFromManyGoroutines while requests fail now and then: all arrive, those of
// each goroutine in its order.
func TestEventsFromManyGoroutines(t *testing.T) {
	receiver := otlptest.Start(t)
	n := 0
	receiver.AnswerEvents(func(context.Context, *otlptest.EventsRequest) (*otlptest.EventsResponse, error) {
		if n++; n%3 == 1 {
			return nil, otlptest.Refused(codes.Unavailable)
		}
		return nil, nil
	})
	exp := start(t, WithEndpoint(receiver.Addr), quick())
	const workers, each = 8, 500
	done := make(chan struct{})
	for w := range workers {
		go func() {
			defer func() { done <- struct{}{} }()
			for i := range each {
				var r log.Record
				r.SetEventName("test.event")
				r.SetTimestamp(time.Unix(int64(w), int64(i)))
				exp.LoggerProvider().Logger(scopeName).Emit(context.Background(), r)
			}
		}()
	}
	for range workers {
		<-done
	}
	rows := map[uint64][]uint64{}
	for _, e := range receiver.WaitForEvents(t, workers*each) {
		w := e.TimeUnixNano / 1e9
		rows[w] = append(rows[w], e.TimeUnixNano%1e9)
	}
	for w, row := range rows {
		if len(row) != each || !slices.IsSorted(row) {
			t.Errorf("worker %d: %d events", w, len(row))
		}
	}
}
