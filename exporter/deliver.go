package exporter

import (
	"context"
	"errors"
	"regexp"
	"strconv"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// outcome is what became of the requests of a pass.
type outcome struct {
	requests int64
	sent     int64 // points that arrived
	lost     int64 // points that did not
	refused  int64 // points among the sent that the receiver threw away
	merged   int64 // points that became one with another before
	notice   string
	err      error
}

// eventOutcome is what became of a request with events.
type eventOutcome struct {
	requests int64
	sent     int64
	lost     int64 // for good
	refused  int64
	untaken  int64
	dropped  int64 // from the queue, before
	notice   string
	err      error
}

func (o *outcome) add(p outcome) {
	o.requests += p.requests
	o.sent += p.sent
	o.lost += p.lost
	o.refused += p.refused
	if p.notice != "" {
		o.notice = p.notice
	}
	if o.err == nil {
		o.err = p.err // the others say the same
	}
}

// deliver sends a batch. If it is too large for the receiver, its halves are sent
// once each; if they arrive, later batches are no larger than these.
func (d *Decorator) deliver(ctx context.Context, b batch) outcome {
	o := d.request(ctx, b)
	if !tooLarge(o.err) || b.points < 2 {
		return o
	}
	halved := outcome{requests: o.requests}
	for _, half := range b.halve(&d.repair) {
		halved.add(d.request(ctx, half))
	}
	if halved.err == nil {
		d.batch = (b.points + 1) / 2
	}
	return halved
}

// request sends a batch as one request.
func (d *Decorator) request(ctx context.Context, b batch) outcome {
	err := d.next.Export(ctx, &b.metrics)
	o := outcome{requests: 1}
	if notice, refused, ok := partialSuccess(err); ok {
		o.notice, o.refused, err = notice, refused, nil
	}
	if err != nil {
		o.lost, o.err = int64(b.points), err
		return o
	}
	o.sent = int64(b.points) - o.refused
	if d.delta {
		d.commit(b)
	}
	return o
}

// partial is how the exporters spell a partial success; its type is internal to
// them (otlpmetricgrpc and otlpmetrichttp v1.47.0, internal/partialsuccess.go).
var partial = regexp.MustCompile(`OTLP partial success: (?s:(.*)) \((\d+) metric data points rejected\)`)

// partialSuccess takes apart the error of a request that was answered with a
// partial success and nothing else. The same type is returned for a warning that
// refuses nothing.
func partialSuccess(err error) (notice string, refused int64, ok bool) {
	if err == nil {
		return "", 0, false
	}
	m := partial.FindStringSubmatch(err.Error())
	if m == nil || len(leaves(err)) > 1 {
		return "", 0, false
	}
	n, _ := strconv.ParseInt(m[2], 10, 64)
	return m[1], n, true
}

// leaves are the errors that err was made of.
func leaves(err error) []error {
	if many, ok := err.(interface{ Unwrap() []error }); ok {
		var all []error
		for _, e := range many.Unwrap() {
			all = append(all, leaves(e)...)
		}
		return all
	}
	if inner := errors.Unwrap(err); inner != nil {
		return leaves(inner)
	}
	return []error{err}
}

// tooLarge reports whether the receiver refused a request for its size.
// ResourceExhausted with a time to retry speaks of load instead.
func tooLarge(err error) bool {
	if err == nil {
		return false
	}
	s, ok := status.FromError(err)
	if !ok || s.Code() == codes.Unknown {
		return strings.Contains(err.Error(), "413 Request Entity Too Large")
	}
	if _, load := throttled(s); load {
		return false
	}
	return s.Code() == codes.ResourceExhausted
}
