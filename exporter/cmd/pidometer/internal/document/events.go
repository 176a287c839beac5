package document

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlplog/otlploghttp"
	sdklog "go.opentelemetry.io/otel/sdk/log"
	collector "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	"google.golang.org/protobuf/proto"
)

// EventSchema names the form of an event in JSON.
const EventSchema = "pidometer.event/1"

// Happened is an event in JSON: docs/json.md describes it.
type Happened struct {
	Schema     string         `json:"schema"`
	Time       time.Time      `json:"time"`
	Event      string         `json:"event"`
	Severity   int            `json:"severity"` // 9 info, 13 warning, 17 error
	Attributes map[string]any `json:"attributes"`
}

// Event writes an event as JSON on one line.
func Event(w io.Writer, r *sdklog.Record) error {
	doc := Happened{EventSchema, r.Timestamp().UTC(), r.EventName(), int(r.Severity()), map[string]any{}}
	r.WalkAttributes(func(kv attribute.KeyValue) bool {
		doc.Attributes[string(kv.Key)] = plain(kv.Value)
		return true
	})
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e.Encode(doc)
}

// plain is a value as JSON has it, maps and lists of values too.
func plain(v attribute.Value) any {
	switch v.Type() {
	case attribute.MAP:
		o := map[string]any{}
		for _, kv := range v.AsMap() {
			o[string(kv.Key)] = plain(kv.Value)
		}
		return o
	case attribute.SLICE:
		list := []any{}
		for _, item := range v.AsSlice() {
			list = append(list, plain(item))
		}
		return list
	}
	return v.AsInterface()
}

// EventOTLP writes an event as one ExportLogsServiceRequest in OTLP/JSON on one line.
func EventOTLP(ctx context.Context, w io.Writer, r *sdklog.Record) error {
	var keep keeper
	e, err := otlploghttp.New(ctx,
		otlploghttp.WithEndpointURL("http://localhost/v1/logs"),
		otlploghttp.WithCompression(otlploghttp.NoCompression),
		otlploghttp.WithHTTPClient(&http.Client{Transport: &keep}))
	if err != nil {
		return fmt.Errorf("OTLP encoder: %w", err)
	}
	defer e.Shutdown(ctx)
	if err := e.Export(ctx, []sdklog.Record{*r}); err != nil {
		return fmt.Errorf("OTLP encoder: %w", err)
	}
	request := new(collector.ExportLogsServiceRequest)
	if err := proto.Unmarshal(keep.body, request); err != nil {
		return fmt.Errorf("OTLP encoder: %w", err)
	}
	return writeLine(w, request)
}
