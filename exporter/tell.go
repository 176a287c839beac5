package exporter

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/otel"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// teller says each trouble once when it begins and once when it is over.
type teller struct {
	log *slog.Logger // may be nil

	mu       sync.Mutex
	flows    [len(payloads)]flow
	callback trouble
	overflow trouble
}

func newTeller(c config) *teller {
	t := &teller{log: c.log}
	t.flows[metricsPayload].endpoint = c.endpoint
	t.flows[eventsPayload].endpoint = c.events
	return t
}

// flow is what is told of one payload.
type flow struct {
	endpoint endpoint
	outage   *outage   // nil: all is well
	success  time.Time // the last one
	refusal  trouble
	untaken  trouble
}

// trouble is something that goes wrong for a while.
type trouble struct {
	since time.Time // zero: there is none
	n     int64
}

func (t *trouble) grow(n int64) (begins bool) {
	begins = t.since.IsZero()
	if begins {
		t.since = time.Now()
	}
	t.n += n
	return begins
}

func (t *trouble) end() (ended trouble, was bool) {
	ended, was = *t, !t.since.IsZero()
	*t = trouble{}
	return ended, was
}

// outage is a time in which nothing is delivered of one payload, or, for the same
// reason, of both.
type outage struct {
	since   time.Time
	host    string
	unheard bool                // the receiver was not reached
	remedy  string              // else
	met     [len(payloads)]bool // who was in it
	open    int                 // of these, whom it is not over for
	passes  int64
	points  int64
	events  int64
}

// pass tells what is new in the outcome of a pass.
func (t *teller) pass(o outcome) {
	t.mu.Lock()
	defer t.mu.Unlock()
	f := &t.flows[metricsPayload]
	if o.err != nil {
		t.fail(f, o.err)
		f.outage.passes++
		f.outage.points += o.lost
	} else {
		t.succeed(f)
	}
	t.refused(f, o.notice, o.refused)
}

// events tells what is new in the outcome of a request with events.
func (t *teller) events(o eventOutcome) {
	t.mu.Lock()
	defer t.mu.Unlock()
	f := &t.flows[eventsPayload]
	switch {
	case o.untaken > 0:
		t.notTaken(f, o)
	case o.err != nil:
		t.fail(f, o.err)
		f.outage.events += o.lost + o.dropped
		return
	default:
		if f.outage != nil {
			f.outage.events += o.dropped
			o.dropped = 0
		}
		t.taken(f)
		t.succeed(f)
		t.refused(f, o.notice, o.refused)
	}
	t.overflown(o.dropped)
}

// fail begins an outage, or goes on with one. Two payloads share one if the receiver
// is the same, and either was reached by neither or wants the same of both: people
// want to know of it once.
func (t *teller) fail(f *flow, err error) {
	if f.outage != nil {
		return
	}
	what := f.endpoint.payload
	mend := remedy(err, f.endpoint)
	if f.outage = t.shared(f, unreached(err), mend); f.outage == nil {
		f.outage = &outage{since: time.Now(), host: f.endpoint.host, unheard: unreached(err), remedy: mend}
		t.warn(what.String()+" are not delivered", err, mend, slog.String("endpoint", f.endpoint.String()))
	}
	f.outage.met[what] = true
	f.outage.open++
}

// shared returns the outage of another payload that explains a failure too. If there
// was a success since it began it does not.
func (t *teller) shared(f *flow, unheard bool, mend string) *outage {
	for i := range t.flows {
		o := t.flows[i].outage
		if o != nil && o.host == f.endpoint.host && f.success.Before(o.since) && (o.unheard && unheard || o.remedy == mend) {
			return o
		}
	}
	return nil
}

// succeed ends an outage for one payload.
func (t *teller) succeed(f *flow) {
	f.success = time.Now()
	t.leave(f)
}

// leave tells that an outage is over when it is over for all who were in it.
func (t *teller) leave(f *flow) {
	o := f.outage
	if f.outage = nil; o == nil {
		return
	}
	if o.open--; o.open > 0 || o.met == (outage{}).met {
		return
	}
	var nouns []string
	var lost []slog.Attr
	if o.met[metricsPayload] {
		nouns = append(nouns, metricsPayload.String())
		lost = append(lost, slog.Int64("lost_passes", o.passes), slog.Int64("lost_points", o.points))
	}
	if o.met[eventsPayload] {
		nouns = append(nouns, eventsPayload.String())
		lost = append(lost, slog.Int64("lost_events", o.events))
	}
	lost = append(lost, slog.Duration("after", time.Since(o.since).Round(time.Millisecond)))
	t.info(strings.Join(nouns, " and ")+" are delivered again", lost...)
}

// refused tells of a partial success.
func (t *teller) refused(f *flow, notice string, n int64) {
	if notice == "" && n == 0 {
		f.refusal.end()
		return
	}
	if f.refusal.grow(n) {
		what := "points"
		if f.endpoint.payload == eventsPayload {
			what = "events"
		}
		t.warn("the receiver does not take all "+what, errors.New(cmp.Or(notice, "no reason is given")), "look into its log; later refusals are only counted",
			slog.Int64("refused", n))
	}
}

// notTaken tells of a receiver that takes metrics and no events. That is no outage:
// it may stay so for good.
func (t *teller) notTaken(f *flow, o eventOutcome) {
	if f.outage != nil {
		f.outage.met[eventsPayload] = false
		t.leave(f)
	}
	if f.untaken.grow(o.untaken) {
		t.warn("the receiver takes no events", o.err,
			"name one that does in OTEL_EXPORTER_OTLP_LOGS_ENDPOINT, or emit none; until then they are counted and thrown away",
			slog.String("endpoint", f.endpoint.String()))
	}
}

func (t *teller) taken(f *flow) {
	if over, was := f.untaken.end(); was {
		t.info("the receiver takes events now", slog.Int64("lost_events", over.n),
			slog.Duration("after", time.Since(over.since).Round(time.Millisecond)))
	}
}

// overflown tells of events that come faster than they are taken.
func (t *teller) overflown(n int64) {
	if n == 0 {
		t.overflow.end()
	} else if t.overflow.grow(n) {
		t.warn("too many events wait, so the oldest are dropped", errors.New("the queue is full"),
			"let fewer be emitted, or raise OTEL_BLRP_MAX_QUEUE_SIZE", slog.Int64("lost_events", n))
	}
}

// collected tells of instruments whose callback failed. A shutdown that cancels
// them is no fault of theirs.
func (t *teller) collected(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if err == nil {
		t.callback.end()
	} else if !errors.Is(err, context.Canceled) && t.callback.grow(0) {
		t.warn("a callback failed, so its metrics may be missing", err, "mend the instrumentation that registered it")
	}
}

// drained tells how a shutdown has gone.
func (t *teller) drained(attrs ...slog.Attr) { t.info("drained", attrs...) }

func (t *teller) warn(msg string, err error, remedy string, attrs ...slog.Attr) {
	if t.log == nil {
		otel.Handle(fmt.Errorf("%s: %w; %s", msg, err, remedy))
		return
	}
	attrs = append(attrs, slog.String("error", oneLine(err)), slog.String("remedy", remedy))
	t.log.LogAttrs(context.Background(), slog.LevelWarn, msg, attrs...)
}

func (t *teller) info(msg string, attrs ...slog.Attr) {
	if t.log != nil {
		t.log.LogAttrs(context.Background(), slog.LevelInfo, msg, attrs...)
	}
}

// oneLine joins the lines of an error.
func oneLine(err error) string { return strings.ReplaceAll(err.Error(), "\n", "; ") }

// symptom is a part of an error's text and what mends it. The texts are those of
// Go 1.26 and grpc v1.85.0, each seen on 2026-11-22 in the tests of this package; those
// of Windows are WSAECONNREFUSED, WSAECONNRESET and WSAECONNABORTED in Microsoft's list
// of Windows Sockets error codes, which Go asks for in English (syscall.Errno.Error).
var symptoms = []struct {
	text   string
	remedy func(endpoint) string
}{
	{"lookup ", func(e endpoint) string {
		return fmt.Sprintf("the name of %s does not resolve; check the spelling, and the resolver", e)
	}},
	{"connection refused", nothingListens},
	{"Connection refused", nothingListens}, // Wine 8.0
	{"actively refused it", nothingListens},
	{"first record does not look like a TLS handshake", writePlaintext},
	{"server gave HTTP response to HTTPS client", writePlaintext},
	{"x509: certificate signed by unknown authority", func(endpoint) string {
		return "set OTEL_EXPORTER_OTLP_CERTIFICATE to the file of the authority's certificate"
	}},
	{"x509:", func(e endpoint) string {
		return fmt.Sprintf("the certificate is not good for %s; check name and date", e)
	}},
	{"certificate required", hungUp},
	{"frame too large", looksHTTP},
	{"looked like an HTTP/1.1 header", looksHTTP},
	{"malformed HTTP response", looksGRPC},
	{"HTTP/1.x transport connection broken", looksGRPC},
	{"readLoopPeekFailLocked", looksGRPC},
	{"error reading server preface", writeTLS},
	{"Client sent an HTTP request to an HTTPS server", writeTLS},
	{"broken pipe", hungUp},
	{"connection reset by peer", hungUp},
	{"Connection reset by peer", hungUp}, // Wine 8.0
	{"forcibly closed by the remote host", hungUp},
	{"aborted by the software in your host machine", hungUp},
	{"EOF", hungUp},
	{"404 Not Found", func(e endpoint) string {
		return fmt.Sprintf("nothing takes %s at %s%s; check the path", e.payload, e, e.path)
	}},
	{"401 Unauthorized", nameYourself},
	{"403 Forbidden", nameYourself},
	{"413 Request Entity Too Large", allowMore},
}

func remedy(err error, e endpoint) string {
	text := err.Error()
	for _, s := range symptoms {
		if strings.Contains(text, s.text) {
			return s.remedy(e)
		}
	}
	return remedyForCode(status.Code(err), err, e)
}

func remedyForCode(code codes.Code, err error, e endpoint) string {
	switch {
	case code == codes.Unauthenticated, code == codes.PermissionDenied:
		return nameYourself(e)
	case code == codes.Unimplemented:
		return fmt.Sprintf("%s takes no %s over gRPC; check the port", e, e.payload)
	case code == codes.ResourceExhausted:
		return allowMore(e)
	case code == codes.DeadlineExceeded, errors.Is(err, context.DeadlineExceeded):
		return fmt.Sprintf("%s does not answer in time; check address and firewall, or raise OTEL_EXPORTER_OTLP_TIMEOUT", e)
	}
	return fmt.Sprintf("check that %s is up and takes OTLP", e)
}

func nothingListens(e endpoint) string {
	return fmt.Sprintf("nothing listens at %s; start the receiver or correct the endpoint", e)
}

func writePlaintext(e endpoint) string {
	return fmt.Sprintf("%s speaks no TLS; write http://%s", e, e.host)
}

func writeTLS(e endpoint) string {
	return fmt.Sprintf("%s seems to want TLS; write https://%s", e, e.host)
}

// hungUp is what a TLS 1.3 server does to a client without a certificate; whether
// the client reads its reason first is a matter of luck.
func hungUp(e endpoint) string {
	if !e.tls {
		return fmt.Sprintf("%s hangs up; check that it takes OTLP", e)
	}
	return fmt.Sprintf("%s hangs up; if it wants a certificate, set OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE and OTEL_EXPORTER_OTLP_CLIENT_KEY", e)
}

func looksHTTP(e endpoint) string {
	return fmt.Sprintf("%s looks like the OTLP/HTTP port; set OTEL_EXPORTER_OTLP_PROTOCOL=%s or use the gRPC port, mostly 4317", e, protocolHTTP)
}

func looksGRPC(e endpoint) string {
	return fmt.Sprintf("%s looks like the OTLP/gRPC port; set OTEL_EXPORTER_OTLP_PROTOCOL=%s or use the HTTP port, mostly 4318", e, protocolGRPC)
}

func nameYourself(endpoint) string {
	return "the receiver wants credentials; put them into OTEL_EXPORTER_OTLP_HEADERS"
}

func allowMore(endpoint) string {
	return "the receiver takes no request of this size; raise its limit or choose a smaller batch"
}
