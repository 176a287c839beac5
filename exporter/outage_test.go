package exporter

import (
	"cmp"
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"

	"github.com/pidometer/pidometer/internal/otlptest"
)

// site is an address at which a receiver, or something else, may stand.
type site struct {
	addr     string
	protocol protocol
	receiver *otlptest.Receiver // nil: something else
	leave    func()             // what stands there goes
	got      []*otlptest.Receiver
}

// serve puts a receiver there, over TLS if there is a certificate.
func (s *site) serve(t *testing.T, pair *tls.Certificate) {
	t.Helper()
	addr := s.addr
	if addr == "" {
		addr = "127.0.0.1:0"
	}
	switch {
	case s.protocol == protocolHTTP && pair != nil:
		s.receiver = otlptest.StartHTTPAt(t, addr, &tls.Config{Certificates: []tls.Certificate{*pair}})
	case s.protocol == protocolHTTP:
		s.receiver = otlptest.StartHTTPAt(t, addr, nil)
	case pair != nil:
		s.receiver = otlptest.StartAt(t, addr, grpc.Creds(credentials.NewServerTLSFromCert(pair)))
	default:
		s.receiver = otlptest.StartAt(t, addr)
	}
	s.addr, s.leave = s.receiver.Addr, s.receiver.Stop
	s.got = append(s.got, s.receiver)
}

// squat puts there somebody who takes connections, does something with each, and
// never answers.
func (s *site) squat(t *testing.T, do func(net.Conn)) {
	t.Helper()
	l := listen(t)
	var mu sync.Mutex
	var open []net.Conn
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			open = append(open, c)
			mu.Unlock()
			do(c)
		}
	}()
	s.addr = l.Addr().String()
	s.leave = func() {
		_ = l.Close()
		<-done
		for _, c := range open {
			_ = c.Close()
		}
	}
}

// answers makes the receiver answer everything so.
func (s *site) answers(a otlptest.Answer) {
	s.receiver.Answer(a)
	if a == nil {
		s.receiver.AnswerEvents(nil)
		return
	}
	s.receiver.AnswerEvents(otlptest.ForEvents(a))
}

// requests returns all that arrived at any time.
func (s *site) requests() (metrics []*otlptest.Request, events []*otlptest.EventsRequest) {
	for _, r := range s.got {
		metrics = append(metrics, r.Requests()...)
		events = append(events, r.EventRequests()...)
	}
	return metrics, events
}

// outageCase is one way in which a receiver is out.
type outageCase struct {
	name    string
	scheme  string
	begin   func(t *testing.T, s *site)
	end     func(t *testing.T, s *site) // nil: never
	healthy bool                        // a pass and an event arrive before
	during  func(t *testing.T, s *site) // the beginning, if it was healthy
	want    string                      // in the line at the beginning
	timeout time.Duration               // of a pass and of a request; long where an answer comes at once
}

// outages but for those of one payload, see TestReceiverOfMetricsOnly.
func outages(good, bad *tls.Certificate) []outageCase {
	here := func(t *testing.T, s *site) { s.serve(t, nil) }
	answering := func(a otlptest.Answer) func(*testing.T, *site) {
		return func(t *testing.T, s *site) { s.serve(t, nil); s.answers(a) }
	}
	quiet := func(_ *testing.T, s *site) { s.answers(nil) }
	again := func(t *testing.T, s *site) { s.leave(); s.serve(t, nil) }
	gone := func(t *testing.T, s *site) { s.serve(t, nil); s.leave() }
	hold := func(net.Conn) {}
	hangUp := func(c net.Conn) { _, _ = c.Read(make([]byte, 100)); _ = c.Close() }
	return []outageCase{
		{name: "down at the start", begin: gone, end: again, want: "nothing listens at"},
		{name: "down for a while", healthy: true, begin: here, during: func(_ *testing.T, s *site) { s.leave() }, end: again, want: "remedy="},
		{name: "slow", begin: answering(otlptest.Delay(time.Minute)), end: quiet, want: "does not answer in time"},
		{name: "Unavailable", begin: answering(otlptest.Refuse(codes.Unavailable)), end: quiet, want: "check that"},
		{name: "ResourceExhausted", begin: answering(otlptest.Refuse(codes.ResourceExhausted)), end: quiet, want: "takes no request of this size", timeout: 5 * time.Second},
		{name: "DeadlineExceeded", begin: answering(otlptest.Refuse(codes.DeadlineExceeded)), end: quiet, want: "remedy="},
		{name: "Unauthenticated", begin: answering(otlptest.Refuse(codes.Unauthenticated)), end: quiet, want: "OTEL_EXPORTER_OTLP_HEADERS", timeout: 5 * time.Second},
		{name: "closed in mid-stream", begin: func(t *testing.T, s *site) { s.squat(t, hangUp) }, end: again, want: "remedy="},
		{name: "black hole", begin: func(t *testing.T, s *site) { s.squat(t, hold) }, end: again, want: "does not answer in time"},
		{name: "no such name", begin: func(_ *testing.T, s *site) { s.addr = "nobody.invalid:4317" }, want: "does not resolve"},
		{name: "wrong certificate", scheme: "https://", begin: func(t *testing.T, s *site) { s.serve(t, bad) },
			end: func(t *testing.T, s *site) { s.leave(); s.serve(t, good) }, want: "OTEL_EXPORTER_OTLP_CERTIFICATE"},
	}
}

// TestOutages costs two lines each, no event, and the metrics of its own passes only.
func TestOutages(t *testing.T) {
	authority, good := certificate(t)
	_, bad := certificate(t)
	failingNames(t)
	t.Setenv("OTEL_EXPORTER_OTLP_CERTIFICATE", authority)
	for _, tc := range outages(&good, &bad) {
		for _, protocol := range []protocol{protocolGRPC, protocolHTTP} {
			t.Run(tc.name+" "+string(protocol), func(t *testing.T) {
				t.Setenv("OTEL_EXPORTER_OTLP_PROTOCOL", string(protocol))
				tc.timeout = cmp.Or(tc.timeout, 500*time.Millisecond)
				t.Setenv("OTEL_EXPORTER_OTLP_TIMEOUT", fmt.Sprint(tc.timeout.Milliseconds()))
				tc.run(t, &site{protocol: protocol})
			})
		}
	}
}

// failingNames makes every name fail to resolve, so that no resolver of the machine
// has a say.
func failingNames(t *testing.T) {
	before := net.DefaultResolver
	net.DefaultResolver = &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		return nil, &net.OpError{Op: "dial", Net: "udp", Err: net.UnknownNetworkError("as the test wants it")}
	}}
	t.Cleanup(func() { net.DefaultResolver = before })
}

func (tc *outageCase) run(t *testing.T, s *site) {
	const passes, events = 2, 20
	told := &book{}
	tc.begin(t, s)
	scheme := tc.scheme
	if scheme == "" {
		scheme = "http://"
	}
	exp := start(t, WithEndpoint(scheme+s.addr), quick(), WithTimeout(tc.timeout), WithLogger(told.logger()))
	gauge(t, exp, scopeName, "x", 1)
	first := 0
	if tc.healthy {
		emit(exp, 0, 1)
		flush(t, exp)
		first = 1
		tc.during(t, s)
	}
	for i := range passes {
		emit(exp, first+i*events/passes, first+(i+1)*events/passes)
		if exp.provider.ForceFlush(t.Context()) == nil {
			t.Fatal("all went well")
		}
	}
	awaitFailure(t, exp)
	if lines := told.lines(); len(lines) != 1 || len(told.lines("level=WARN", "are not delivered", tc.want)) != 1 {
		t.Errorf("in the outage: %q", lines)
	}
	if tc.end == nil {
		if s := exp.Stats(); s.EventsWaiting != events || s.EventsLost+s.EventsDropped != 0 {
			t.Errorf("%+v", s)
		}
		return
	}
	tc.end(t, s)
	failed := exp.Stats().Failed
	for exp.provider.ForceFlush(t.Context()) != nil {
		failed++
		if failed > 1000 {
			t.Fatal("it never heals")
		}
	}
	settled(t, exp)
	_, arrived := s.requests()
	checkRow(t, numbersOf(otlptest.Events(arrived)), 0, first+events)
	over := told.lines("level=INFO", "metrics and events are delivered again", "lost_events=0")
	if len(over) != 1 || len(told.lines()) != 2 {
		t.Errorf("after the outage: %q", told.lines())
	}
	st := exp.Stats()
	if st.EventsLost+st.EventsDropped+st.EventsRefused+st.EventsUntaken != 0 || st.Lost != st.Failed || st.Failed < passes || st.LastError != nil || st.LastEventError != nil {
		t.Errorf("%+v", st)
	}
	if metrics, _ := s.requests(); len(otlptest.Numbers(metrics, "x")) != 1+first {
		t.Errorf("%d points arrived", len(otlptest.Numbers(metrics, "x")))
	}
}

// awaitFailure waits until a request with events has failed too.
func awaitFailure(t *testing.T, exp *Exporter) {
	t.Helper()
	end := time.After(otlptest.Patience)
	for exp.events.send.failedSince(0) == nil {
		select {
		case <-exp.events.send.queue.level().changed:
		case <-end:
			t.Fatal("events do not fail")
		}
	}
}

// TestOutagesOfTwoReceivers are told apart: what is wrong with one does not hide
// what is wrong with the other.
func TestOutagesOfTwoReceivers(t *testing.T) {
	forMetrics, forEvents, told := otlptest.Start(t), otlptest.Start(t), &book{}
	t.Setenv("OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", "http://"+forEvents.Addr)
	t.Setenv("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "http://"+forMetrics.Addr)
	t.Setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "300")
	forMetrics.Answer(otlptest.Refuse(codes.Unavailable))
	forEvents.AnswerEvents(otlptest.ForEvents(otlptest.Refuse(codes.Unavailable)))
	exp := start(t, quick(), WithLogger(told.logger()))
	gauge(t, exp, scopeName, "x", 1)
	emit(exp, 0, 5)
	if exp.provider.ForceFlush(t.Context()) == nil {
		t.Fatal("all went well")
	}
	awaitFailure(t, exp)
	if len(told.lines("metrics are not delivered", forMetrics.Addr)) != 1 || len(told.lines("events are not delivered", forEvents.Addr)) != 1 || len(told.lines()) != 2 {
		t.Errorf("%q", told.lines())
	}
}

// TestTellerSharesOutages steps through what the network would do at its own time.
func TestTellerSharesOutages(t *testing.T) {
	down, refused := &net.OpError{Op: "dial", Err: net.ErrClosed}, &httpError{code: 401, text: "401 Unauthorized"}
	for _, tc := range []struct {
		name  string
		steps string // m, e: metrics or events fail; M, E: they arrive; r, s: they are refused; u: events are not taken
		want  []string
	}{
		{"together", "memeEM", []string{"metrics are not", "metrics and events are delivered again"}},
		{"in any order", "emMme", []string{"events are not", "metrics are not"}},
		{"alone", "mMeE", []string{"metrics are not", "metrics are delivered again", "events are not", "events are delivered again"}},
		{"one after the other", "mEeM", []string{"metrics are not", "events are not", "metrics are delivered again"}},
		{"refused for the same reason", "rsrsMsE", []string{"metrics are not", "metrics and events are delivered again"}},
		{"refused and down", "rmerME", []string{"metrics are not", "events are not", "metrics are delivered again", "events are delivered again"}},
		{"metrics only", "meuuM", []string{"metrics are not", "takes no events", "metrics are delivered again"}},
		{"events were out and are not taken", "euMuE", []string{"events are not", "takes no events", "takes events now"}},
	} {
		told := &book{}
		teller := newTeller(config{log: told.logger(), endpoint: endpoint{host: "h:1"}, events: endpoint{host: "h:1", payload: eventsPayload}})
		for _, step := range tc.steps {
			switch step {
			case 'm':
				teller.pass(outcome{err: down, lost: 1})
			case 'r':
				teller.pass(outcome{err: refused, lost: 1})
			case 'M':
				teller.pass(outcome{sent: 1})
			case 'e':
				teller.events(eventOutcome{err: down})
			case 's':
				teller.events(eventOutcome{err: refused})
			case 'E':
				teller.events(eventOutcome{sent: 1})
			case 'u':
				teller.events(eventOutcome{err: refused, untaken: 1})
			}
			time.Sleep(time.Microsecond) // so that the clock has moved
		}
		lines := told.lines()
		ok := len(lines) == len(tc.want)
		for i := range min(len(lines), len(tc.want)) {
			ok = ok && strings.Contains(lines[i], tc.want[i])
		}
		if !ok {
			t.Errorf("%s: %q, want %q", tc.name, lines, tc.want)
		}
	}
}
