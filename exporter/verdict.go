package exporter

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// verdict is what an answer says of the events that were sent.
type verdict uint8

const (
	arrived  verdict = iota
	later            // the receiver is not to be had, or does not take us: they wait
	smaller          // too many at once
	hopeless         // no second attempt would fare better
	untaken          // the receiver takes no events at all
)

// verdicts of gRPC. OTLP's specification retries fewer; but who is refused for his
// credentials has done nothing wrong with the data, and may be let in after a while
// (OTLP specification 1.9, "Failures").
var verdicts = map[codes.Code]verdict{
	codes.OK:                arrived,
	codes.Canceled:          later,
	codes.DeadlineExceeded:  later,
	codes.Aborted:           later,
	codes.OutOfRange:        later,
	codes.Unavailable:       later,
	codes.DataLoss:          later,
	codes.Unauthenticated:   later,
	codes.PermissionDenied:  later,
	codes.ResourceExhausted: smaller,
	codes.Unimplemented:     untaken,
}

// httpVerdicts are the same of HTTP; a 404 is what a receiver without events answers.
var httpVerdicts = map[int]verdict{
	http.StatusTooManyRequests:       later,
	http.StatusBadGateway:            later,
	http.StatusServiceUnavailable:    later,
	http.StatusGatewayTimeout:        later,
	http.StatusRequestTimeout:        later,
	http.StatusUnauthorized:          later,
	http.StatusForbidden:             later,
	http.StatusProxyAuthRequired:     later,
	http.StatusRequestEntityTooLarge: smaller,
	http.StatusNotFound:              untaken,
	http.StatusMethodNotAllowed:      untaken,
	http.StatusNotImplemented:        untaken,
}

// judge also tells how long the receiver wants to be left alone.
func judge(err error) (verdict, time.Duration) {
	if err == nil {
		return arrived, 0
	}
	if e := (*httpError)(nil); errors.As(err, &e) {
		if v, ok := httpVerdicts[e.code]; ok {
			return v, e.pause
		}
		return hopeless, 0
	}
	s, ok := status.FromError(err)
	if !ok {
		return later, 0 // no answer at all
	}
	if pause, ok := throttled(s); ok {
		return later, pause
	}
	if v, ok := verdicts[s.Code()]; ok {
		return v, 0
	}
	return hopeless, 0
}

// throttled reports whether the receiver says when to come again, which speaks of
// its load (OTLP specification 1.9, "OTLP/gRPC Throttling").
func throttled(s *status.Status) (time.Duration, bool) {
	for _, detail := range s.Details() {
		if info, ok := detail.(*errdetails.RetryInfo); ok {
			return info.GetRetryDelay().AsDuration(), true
		}
	}
	return 0, false
}

// unreached reports whether nobody who could judge a request has seen it, so that it
// would fare the same whatever it holds. It reads the errors of the SDK's exporters
// too, which keep the answers over HTTP as text (otlpmetrichttp v1.47.0, client.go).
func unreached(err error) bool {
	if e := (*httpError)(nil); errors.As(err, &e) {
		return e.code >= http.StatusBadGateway && e.code <= http.StatusGatewayTimeout
	}
	switch status.Code(err) {
	case codes.Unavailable, codes.DeadlineExceeded, codes.Canceled:
		return true
	case codes.Unknown:
		return !strings.Contains(err.Error(), "failed to send metrics to ")
	}
	return false
}

// leftError says that events were not delivered before a shutdown was over.
type leftError struct {
	events int
	why    error
}

func (e *leftError) Error() string {
	if e.why == nil {
		return fmt.Sprintf("%d events are not delivered: no time was left", e.events)
	}
	return fmt.Sprintf("%d events are not delivered: %v", e.events, e.why)
}

func (e *leftError) Unwrap() error { return e.why }
