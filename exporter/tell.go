package exporter

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"go.opentelemetry.io/otel"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// teller says each trouble once when it begins and once when it is over.
type teller struct {
	log      *slog.Logger // may be nil
	endpoint endpoint
	outage   trouble
	refusal  trouble
	callback trouble
}

// trouble is something that goes wrong over some passes.
type trouble struct {
	since  time.Time // zero: there is none
	passes int64
	points int64
}

func (t *trouble) grow(points int64) (begins bool) {
	begins = t.since.IsZero()
	if begins {
		t.since = time.Now()
	}
	t.passes++
	t.points += points
	return begins
}

func (t *trouble) end() (ended trouble, was bool) {
	ended, was = *t, !t.since.IsZero()
	*t = trouble{}
	return ended, was
}

// pass tells what is new in the outcome of a pass.
func (t *teller) pass(o outcome) {
	t.delivery(o)
	if o.notice == "" {
		t.refusal.end()
	} else if t.refusal.grow(o.refused) {
		t.warn("the receiver does not take all points", errors.New(o.notice), "look into its log; later refusals are only counted",
			slog.Int64("refused", o.refused))
	}
}

func (t *teller) delivery(o outcome) {
	if o.err != nil {
		if t.outage.grow(o.lost) {
			t.warn("metrics are not delivered", o.err, remedy(o.err, t.endpoint), slog.String("endpoint", t.endpoint.String()))
		}
		return
	}
	if over, was := t.outage.end(); was {
		t.info("metrics are delivered again",
			slog.Int64("lost_passes", over.passes), slog.Int64("lost_points", over.points),
			slog.Duration("after", time.Since(over.since).Round(time.Millisecond)))
	}
}

// collected tells of instruments whose callback failed. A shutdown that cancels
// them is no fault of theirs.
func (t *teller) collected(err error) {
	if err == nil {
		t.callback.end()
	} else if !errors.Is(err, context.Canceled) && t.callback.grow(0) {
		t.warn("a callback failed, so its metrics may be missing", err, "mend the instrumentation that registered it")
	}
}

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
// Go 1.26 and grpc v1.85.0, each seen on 2026-11-22 in the tests of this package.
var symptoms = []struct {
	text   string
	remedy func(endpoint) string
}{
	{"connection refused", nothingListens},
	{"no such host", func(e endpoint) string {
		return fmt.Sprintf("the name of %s does not resolve; check the spelling", e)
	}},
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
	{"EOF", hungUp},
	{"404 Not Found", func(e endpoint) string {
		return fmt.Sprintf("nothing takes metrics at %s%s; check the path", e, e.path)
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
		return fmt.Sprintf("%s takes no metrics over gRPC; check the port", e)
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
