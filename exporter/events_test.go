package exporter

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/log"
	"go.opentelemetry.io/otel/trace"
	logs "go.opentelemetry.io/proto/otlp/logs/v1"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"

	"google.golang.org/genproto/googleapis/rpc/errdetails"

	"github.com/pidometer/pidometer/internal/otlptest"
)

// quick makes the sender of events wait a thousandth of what it does otherwise.
func quick() Option {
	return optionFunc(func(c config) config {
		c.pace = pace{delay: time.Millisecond, first: time.Millisecond, last: 5 * time.Millisecond, probe: 60 * time.Millisecond}
		return c
	})
}

// emit emits events with numbers from i up to j.
func emit(exp *Exporter, i, j int) {
	logger := exp.LoggerProvider().Logger(scopeName)
	for ; i < j; i++ {
		var r log.Record
		r.SetEventName("test.event")
		r.SetTimestamp(time.Unix(int64(i), 0))
		r.AddAttributes(attribute.Int("n", i))
		logger.Emit(context.Background(), r)
	}
}

// numbersOf returns the numbers of events, as they came.
func numbersOf(events []*logs.LogRecord) []int {
	var all []int
	for _, e := range events {
		for _, kv := range e.Attributes {
			if kv.Key == "n" {
				all = append(all, int(kv.Value.GetIntValue()))
			}
		}
	}
	return all
}

// checkRow wants the numbers from i up to j, in order.
func checkRow(t *testing.T, got []int, i, j int) {
	t.Helper()
	if len(got) != j-i {
		t.Errorf("%d events, want %d", len(got), j-i)
	}
	for at, n := range got {
		if n != i+at {
			t.Fatalf("event %d stands where %d should: %v", n, i+at, got[:min(at+5, len(got))])
		}
	}
}

// receivers starts one of each protocol.
func receivers(t *testing.T, f func(t *testing.T, receiver *otlptest.Receiver)) {
	for _, protocol := range []protocol{protocolGRPC, protocolHTTP} {
		t.Run(string(protocol), func(t *testing.T) {
			t.Setenv("OTEL_EXPORTER_OTLP_PROTOCOL", string(protocol))
			if protocol == protocolHTTP {
				f(t, otlptest.StartHTTP(t))
				return
			}
			f(t, otlptest.Start(t))
		})
	}
}

// TestEventArrives whole: all that a record can say, with a bad byte in every string.
func TestEventArrives(t *testing.T) {
	const bad, good = "\xff", `\xff`
	t.Setenv("OTEL_RESOURCE_ATTRIBUTES", "place=caf%E9,k\xe9y=v")
	receivers(t, func(t *testing.T, receiver *otlptest.Receiver) {
		exp := start(t, WithEndpoint(receiver.Addr), WithResource(attribute.String("r"+bad, bad)))
		logger := exp.LoggerProvider().Logger("scope"+bad, log.WithInstrumentationVersion("v"+bad), log.WithSchemaURL("u"+bad),
			log.WithInstrumentationAttributes(attribute.String("s"+bad, bad)))
		span := trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{1}, SpanID: trace.SpanID{2}, TraceFlags: 1})
		var r log.Record
		r.SetEventName("event" + bad)
		r.SetTimestamp(time.Unix(1, 2))
		r.SetObservedTimestamp(time.Unix(3, 4))
		r.SetSeverity(log.SeverityWarn)
		r.SetSeverityText("text" + bad)
		r.SetBody(attribute.StringValue("body" + bad))
		r.AddAttributes(attribute.String("k"+bad, bad), attribute.Bool("bool", true), attribute.Int("int", -7), attribute.Float64("float", 0.5),
			attribute.StringSlice("strings", []string{"a", bad}), attribute.Int64Slice("ints", []int64{1, -2}),
			attribute.Float64Slice("floats", []float64{1.5}), attribute.BoolSlice("bools", []bool{true, false}),
			attribute.KeyValue{Key: "bytes", Value: attribute.ByteSliceValue([]byte(bad))},
			attribute.KeyValue{Key: "slice", Value: attribute.SliceValue(attribute.StringValue(bad), attribute.IntValue(1))},
			attribute.KeyValue{Key: "map", Value: attribute.MapValue(attribute.String("in"+bad, bad))})
		logger.Emit(trace.ContextWithSpanContext(t.Context(), span), r)
		flush(t, exp)
		got := receiver.WaitForEvents(t, 1)[0]
		if got.TimeUnixNano != 1e9+2 || got.ObservedTimeUnixNano != 3e9+4 || got.SeverityNumber != logs.SeverityNumber_SEVERITY_NUMBER_WARN ||
			got.EventName != "event"+good || got.SeverityText != "text"+good || got.Body.GetStringValue() != "body"+good ||
			got.TraceId[0] != 1 || got.SpanId[0] != 2 || got.Flags != 1 || len(got.Attributes) != 11 {
			t.Errorf("%v", got)
		}
		all := receiver.EventRequests()[0].String()
		for _, want := range []string{
			"scope" + good, "v" + good, "u" + good, "s" + good, "r" + good, `caf\xe9`, inVariable(`k\xe9y`), "k" + good, "in" + good, "service.name",
			"int_value:-7", "double_value:0.5", "bool_value:true", `bytes_value:"\xff"`,
		} {
			if !strings.Contains(strings.ReplaceAll(all, `\\`, `\`), want) {
				t.Errorf("%s is missing in %s", want, all)
			}
		}
		if s := exp.Stats(); s.Events != 1 || s.EventsWaiting != 0 || s.EventRequests != 1 || s.EventsRepaired == 0 || s.LastEventSuccess.IsZero() || s.LastEventError != nil {
			t.Errorf("%+v", s)
		}
	})
}

// TestEventsKeepTheirOrder has several scopes take turns, and several requests.
func TestEventsKeepTheirOrder(t *testing.T) {
	receivers(t, func(t *testing.T, receiver *otlptest.Receiver) {
		exp := start(t, WithEndpoint(receiver.Addr))
		const n = 5000
		for i := range n {
			var r log.Record
			r.AddAttributes(attribute.Int("n", i))
			exp.LoggerProvider().Logger(fmt.Sprint("scope", i%7%3)).Emit(t.Context(), r)
		}
		flush(t, exp)
		checkRow(t, numbersOf(receiver.WaitForEvents(t, n)), 0, n)
		for _, r := range receiver.EventRequests() {
			if got := len(otlptest.Events([]*otlptest.EventsRequest{r})); got > defaultEventBatch || len(r.ResourceLogs) != 1 {
				t.Errorf("%d events and %d resources in a request", got, len(r.ResourceLogs))
			}
		}
	})
}

// TestEventsGoByThemselves needs no flush.
func TestEventsGoByThemselves(t *testing.T) {
	receiver := otlptest.Start(t)
	exp := start(t, WithEndpoint(receiver.Addr), quick())
	emit(exp, 0, 3)
	checkRow(t, numbersOf(receiver.WaitForEvents(t, 3)), 0, 3)
}

// TestEventsFitIntoRequests has a receiver that takes 4 MiB, and one that takes less.
func TestEventsFitIntoRequests(t *testing.T) {
	for _, most := range []int{0, 1 << 20, 100_000} {
		receivers(t, func(t *testing.T, receiver *otlptest.Receiver) {
			if most > 0 {
				receiver.AnswerEvents(func(_ context.Context, r *otlptest.EventsRequest) (*otlptest.EventsResponse, error) {
					if proto.Size(r) > most {
						return nil, status.Error(codes.ResourceExhausted, "too large")
					}
					return nil, nil
				})
			}
			exp := start(t, WithEndpoint(receiver.Addr), quick(), WithEventQueue(1000, 64<<20))
			logger := exp.LoggerProvider().Logger(scopeName)
			for i := range 300 {
				var r log.Record
				r.AddAttributes(attribute.Int("n", i), attribute.String("text", strings.Repeat("x", 50_000)))
				logger.Emit(t.Context(), r)
			}
			flush(t, exp)
			checkRow(t, numbersOf(receiver.WaitForEvents(t, 300)), 0, 300)
			for _, r := range receiver.EventRequests() {
				if n := proto.Size(r); n > 4<<20 {
					t.Errorf("a request of %d bytes", n)
				}
			}
			if s := exp.Stats(); s.EventsLost != 0 || s.EventsDropped != 0 || s.LastEventError != nil {
				t.Errorf("%+v", s)
			}
		})
	}
}

// TestEventTooLarge is the only one that is lost.
func TestEventTooLarge(t *testing.T) {
	receivers(t, func(t *testing.T, receiver *otlptest.Receiver) {
		told := &book{}
		receiver.AnswerEvents(func(_ context.Context, r *otlptest.EventsRequest) (*otlptest.EventsResponse, error) {
			if proto.Size(r) > 10_000 {
				return nil, status.Error(codes.ResourceExhausted, "too large")
			}
			return nil, nil
		})
		exp := start(t, WithEndpoint(receiver.Addr), quick(), WithLogger(told.logger()))
		emit(exp, 0, 10)
		var r log.Record
		r.SetBody(attribute.StringValue(strings.Repeat("x", 20_000)))
		exp.LoggerProvider().Logger(scopeName).Emit(t.Context(), r)
		emit(exp, 10, 20)
		checkRow(t, numbersOf(receiver.WaitForEvents(t, 20)), 0, 20)
		settled(t, exp)
		if s := exp.Stats(); s.Events != 20 || s.EventsLost != 1 {
			t.Errorf("%+v", s)
		}
		if len(told.lines()) != 2 || len(told.lines("events are not delivered")) != 1 || len(told.lines("events are delivered again", "lost_events=1")) != 1 {
			t.Errorf("%q", told.lines())
		}
	})
}

// settled waits until no event waits.
func settled(t *testing.T, exp *Exporter) {
	t.Helper()
	end := time.After(otlptest.Patience)
	for {
		l := exp.events.send.queue.level()
		if l.all == 0 {
			return
		}
		select {
		case <-l.changed:
		case <-end:
			t.Fatalf("%d events still wait", l.all)
		}
	}
}

func TestEventsPartialSuccess(t *testing.T) {
	receivers(t, func(t *testing.T, receiver *otlptest.Receiver) {
		told := &book{}
		receiver.AnswerEvents(func(context.Context, *otlptest.EventsRequest) (*otlptest.EventsResponse, error) {
			return otlptest.RefuseEvents(2, "too old"), nil
		})
		exp := start(t, WithEndpoint(receiver.Addr), WithLogger(told.logger()))
		for i := range 3 {
			emit(exp, 5*i, 5*i+5)
			flush(t, exp)
		}
		if s := exp.Stats(); s.Events != 9 || s.EventsRefused != 6 || s.EventsLost != 0 {
			t.Errorf("%+v", s)
		}
		if len(told.lines()) != 1 || len(told.lines("does not take all events", "too old", "refused=2")) != 1 {
			t.Errorf("%q", told.lines())
		}
	})
}

// TestReceiverOfMetricsOnly is told once, and metrics do not suffer.
func TestReceiverOfMetricsOnly(t *testing.T) {
	receivers(t, func(t *testing.T, receiver *otlptest.Receiver) {
		told := &book{}
		receiver.AnswerEvents(otlptest.ForEvents(otlptest.Refuse(codes.Unimplemented)))
		exp := start(t, WithEndpoint(receiver.Addr), quick(), WithLogger(told.logger()))
		gauge(t, exp, scopeName, "x", 1)
		for i := range 5 {
			emit(exp, 10*i, 10*i+10)
			settled(t, exp)
			if err := exp.provider.ForceFlush(t.Context()); err != nil {
				t.Error(err)
			}
		}
		if s := exp.Stats(); s.EventsUntaken != 50 || s.Events+s.EventsLost+s.EventsDropped != 0 || s.Points != 5 || s.Failed != 0 {
			t.Errorf("%+v", s)
		}
		if len(told.lines()) != 1 || len(told.lines("level=WARN", "takes no events", "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT")) != 1 {
			t.Errorf("%q", told.lines())
		}
		receiver.AnswerEvents(nil)
		emit(exp, 50, 60)
		checkRow(t, numbersOf(receiver.WaitForEvents(t, 10)), 50, 60)
		settled(t, exp)
		if len(told.lines()) != 2 || len(told.lines("level=INFO", "takes events now", "lost_events=50")) != 1 {
			t.Errorf("%q", told.lines())
		}
		receiver.AnswerEvents(otlptest.ForEvents(otlptest.Refuse(codes.Unimplemented)))
		if err := exp.Shutdown(t.Context()); err != nil {
			t.Errorf("the shutdown minds: %v", err)
		}
	})
}

// TestInvalidEventsAreNotSentAgain, so that they hold up nobody.
func TestInvalidEventsAreNotSentAgain(t *testing.T) {
	receivers(t, func(t *testing.T, receiver *otlptest.Receiver) {
		var refused atomic.Int32
		receiver.AnswerEvents(func(_ context.Context, r *otlptest.EventsRequest) (*otlptest.EventsResponse, error) {
			if got := numbersOf(otlptest.Events([]*otlptest.EventsRequest{r})); len(got) > 0 && got[0] < 5 {
				refused.Add(int32(len(got)))
				return nil, status.Error(codes.InvalidArgument, "nonsense")
			}
			return nil, nil
		})
		exp := start(t, WithEndpoint(receiver.Addr), quick())
		emit(exp, 0, 5)
		settled(t, exp)
		emit(exp, 5, 10)
		checkRow(t, numbersOf(receiver.WaitForEvents(t, 5)), 5, 10)
		settled(t, exp)
		if s := exp.Stats(); s.EventsLost != 5 || s.Events != 5 || refused.Load() != 5 {
			t.Errorf("%+v, %d refused", s, refused.Load())
		}
	})
}

// TestReceiverSaysWhen checks that a receiver which names a time is left alone so
// long, over gRPC; a hurry may come before.
func TestReceiverSaysWhen(t *testing.T) {
	busy, err := status.New(codes.ResourceExhausted, "busy").WithDetails(&errdetails.RetryInfo{RetryDelay: durationpb.New(30 * time.Millisecond)})
	if err != nil {
		t.Fatal(err)
	}
	receiver := otlptest.Start(t)
	var calls atomic.Int32
	var times [2]time.Time
	receiver.AnswerEvents(func(context.Context, *otlptest.EventsRequest) (*otlptest.EventsResponse, error) {
		n := calls.Add(1)
		times[min(n, 2)-1] = time.Now()
		if n == 1 {
			return nil, busy.Err()
		}
		return nil, nil
	})
	exp := start(t, WithEndpoint(receiver.Addr), quick())
	emit(exp, 0, 5)
	checkRow(t, numbersOf(receiver.WaitForEvents(t, 5)), 0, 5)
	if gap := times[1].Sub(times[0]); gap < 30*time.Millisecond {
		t.Errorf("asked again after %v", gap)
	}
	if v, pause := judge(&httpError{code: 503, pause: time.Minute}); v != later || pause != time.Minute {
		t.Errorf("over HTTP: %v, %v", v, pause)
	}
	if pause, ok := retryAfter("120"); !ok || pause != 2*time.Minute {
		t.Error(pause, ok)
	}
	if pause, ok := retryAfter(time.Now().Add(time.Hour).UTC().Format("Mon, 02 Jan 2006 15:04:05 GMT")); !ok || pause < 59*time.Minute {
		t.Error(pause, ok)
	}
	if _, ok := retryAfter("soon"); ok {
		t.Error("soon is no time")
	}
}

// TestEventQueueIsBounded by number and by bytes; what is too much goes at the old
// end, counted and told.
func TestEventQueueIsBounded(t *testing.T) {
	for _, bound := range []Option{WithEventQueue(100, 1<<20), WithEventQueue(1000, 100*(len(encoded(t, 0).bytes)+recordOverhead))} {
		receiver, told := otlptest.Start(t), &book{}
		receiver.Stop()
		exp := start(t, WithEndpoint(receiver.Addr), quick(), bound, WithLogger(told.logger()))
		emit(exp, 1000, 1500)
		if l := exp.events.send.queue.level(); l.all != 100 {
			t.Errorf("%d wait", l.all)
		}
		otlptest.StartAt(t, receiver.Addr)
		before := exp.Stats().EventsDropped
		if before != 400 {
			t.Errorf("%d dropped", before)
		}
		settled(t, exp)
		if s := exp.Stats(); s.Events != 100 || s.EventsDropped != 400 || s.EventsWaiting != 0 {
			t.Errorf("%+v", s)
		}
	}
}

// encoded is what event n becomes.
func encoded(t *testing.T, n int) record {
	t.Helper()
	receiver := otlptest.Start(t)
	receiver.Stop()
	exp := start(t, WithEndpoint(receiver.Addr))
	emit(exp, n+1000, n+1001)
	return exp.events.send.queue.take(1)[0]
}

// TestQueue compares with a slice that is cut at the front, over random steps.
func TestQueue(t *testing.T) {
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 0))
	count := &counters{}
	q := newQueue(50, 10_000, count)
	var model, held []record
	size := func(records []record) (n int) {
		for _, r := range records {
			n += r.size()
		}
		return n
	}
	added, settled := 0, 0
	for range 20_000 {
		switch random.IntN(4) {
		case 0, 1:
			r := record{bytes: make([]byte, random.IntN(500))}
			q.add(r)
			model = append(model, r)
			added++
			for len(model)+len(held) > 50 || size(model)+size(held) > 10_000 {
				if len(model) == 0 {
					break
				}
				model = model[1:]
				settled++
			}
		case 2:
			n := random.IntN(5)
			got := q.take(n)
			n = min(n, len(model))
			if len(got) != n {
				t.Fatalf("seed %d: took %d of %d", seed, len(got), n)
			}
			held, model = append(held, got...), model[n:]
		case 3:
			n := random.IntN(len(held) + 1)
			q.settle(held[:n])
			held = held[n:]
			settled += n
		}
		l := q.level()
		if l.waiting != len(model) || l.all != len(model)+len(held) || q.bytes != size(model) || q.held != size(held) ||
			int(l.added) != added || int(l.settled) != settled {
			t.Fatalf("seed %d: %+v, %d bytes; want %d, %d held, %d bytes, %d settled", seed, l, q.bytes, len(model), len(held), size(model), settled)
		}
	}
	if count.stats().EventsDropped == 0 {
		t.Error("nothing was ever too much")
	}
}

func BenchmarkEvent(b *testing.B) {
	receiver := otlptest.Start(b)
	exp := start(b, WithEndpoint(receiver.Addr))
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		emit(exp, i, i+1)
	}
}
