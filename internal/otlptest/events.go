package otlptest

import (
	"context"
	"net/http"
	"testing"

	collector "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	logs "go.opentelemetry.io/proto/otlp/logs/v1"
)

// EventsRequest is what an exporter sends of events at once.
type EventsRequest = collector.ExportLogsServiceRequest

// EventsResponse is what it is answered.
type EventsResponse = collector.ExportLogsServiceResponse

// EventsAnswer is an [Answer] to events.
type EventsAnswer func(context.Context, *EventsRequest) (*EventsResponse, error)

// eventsService is the other service of a receiver.
type eventsService struct {
	collector.UnimplementedLogsServiceServer
	receiver *Receiver
}

// Export is the gRPC method.
func (s eventsService) Export(ctx context.Context, req *EventsRequest) (*EventsResponse, error) {
	return s.receiver.export(ctx, req)
}

func (r *Receiver) export(ctx context.Context, req *EventsRequest) (*EventsResponse, error) {
	r.mu.Lock()
	answer := r.onEvents
	r.mu.Unlock()
	resp := &EventsResponse{}
	if answer != nil {
		special, err := answer(ctx, req)
		if err != nil {
			return nil, err
		}
		if special != nil {
			resp = special
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.gotEvents = append(r.gotEvents, req)
	r.tell()
	return resp, nil
}

func (r *Receiver) serveEvents(w http.ResponseWriter, h *http.Request) {
	req := &EventsRequest{}
	if read(w, h, req) {
		resp, err := r.export(withHeaders(h), req)
		write(w, resp, err)
	}
}

// AnswerEvents sets who decides on events from now on; nil takes all.
func (r *Receiver) AnswerEvents(a EventsAnswer) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.onEvents = a
}

// ForEvents turns the refusals and delays of metrics into those of events.
func ForEvents(a Answer) EventsAnswer {
	return func(ctx context.Context, _ *EventsRequest) (*EventsResponse, error) {
		_, err := a(ctx, nil)
		return nil, err
	}
}

// EventRequests returns what has been taken of events so far.
func (r *Receiver) EventRequests() []*EventsRequest {
	got, _ := r.eventState()
	return got
}

func (r *Receiver) eventState() ([]*EventsRequest, <-chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]*EventsRequest(nil), r.gotEvents...), r.changed
}

// WaitForEvents is [Receiver.WaitFor] for n events, and returns all there are, in the
// order in which they came.
func (r *Receiver) WaitForEvents(t testing.TB, n int) []*logs.LogRecord {
	t.Helper()
	return Events(waitFor(t, "events", r.eventState, func(got []*EventsRequest) bool { return len(Events(got)) >= n }))
}

// Events returns the events of requests, in order.
func Events(requests []*EventsRequest) []*logs.LogRecord {
	var all []*logs.LogRecord
	for _, r := range requests {
		for _, rl := range r.ResourceLogs {
			for _, sl := range rl.ScopeLogs {
				all = append(all, sl.LogRecords...)
			}
		}
	}
	return all
}

// RefuseEvents says that some events were thrown away.
func RefuseEvents(n int64, message string) *EventsResponse {
	return &EventsResponse{PartialSuccess: &collector.ExportLogsPartialSuccess{RejectedLogRecords: n, ErrorMessage: message}}
}
