package document

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	collector "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/pidometer/pidometer/exporter"
)

// OTLP writes one ExportMetricsServiceRequest as OTLP/JSON on one line, with the
// resource that the sidecar would send.
func OTLP(ctx context.Context, w io.Writer, host []attribute.KeyValue, scopes []metricdata.ScopeMetrics) error {
	resource, err := exporter.Resource(ctx, host...)
	if err != nil {
		return err
	}
	request, err := encode(ctx, &metricdata.ResourceMetrics{Resource: resource, ScopeMetrics: scopes})
	if err != nil {
		return err
	}
	return writeLine(w, request)
}

// writeLine writes a request as OTLP/JSON on one line.
func writeLine(w io.Writer, request proto.Message) error {
	// OTLP/JSON writes enums as numbers: opentelemetry.io/docs/specs/otlp, JSON
	// Protobuf Encoding.
	text, err := protojson.MarshalOptions{UseEnumNumbers: true}.Marshal(request)
	if err != nil {
		return fmt.Errorf("OTLP/JSON: %w", err)
	}
	var line bytes.Buffer
	// protojson puts spaces in at random, to keep anybody from relying on them.
	if err := json.Compact(&line, text); err != nil {
		return fmt.Errorf("OTLP/JSON: %w", err)
	}
	line.WriteByte('\n')
	_, err = w.Write(line.Bytes())
	return err
}

// encode lets OpenTelemetry's own exporter make the request: it keeps the one
// conversion from its data model to protobuf to itself, so its HTTP client is
// replaced by one that keeps the body and sends nothing.
func encode(ctx context.Context, data *metricdata.ResourceMetrics) (*collector.ExportMetricsServiceRequest, error) {
	var keep keeper
	e, err := otlpmetrichttp.New(ctx,
		otlpmetrichttp.WithEndpointURL("http://localhost/v1/metrics"),
		otlpmetrichttp.WithCompression(otlpmetrichttp.NoCompression),
		otlpmetrichttp.WithHTTPClient(&http.Client{Transport: &keep}))
	if err != nil {
		return nil, fmt.Errorf("OTLP encoder: %w", err)
	}
	defer e.Shutdown(ctx)
	if err := e.Export(ctx, data); err != nil {
		return nil, fmt.Errorf("OTLP encoder: %w", err)
	}
	request := new(collector.ExportMetricsServiceRequest)
	if err := proto.Unmarshal(keep.body, request); err != nil {
		return nil, fmt.Errorf("OTLP encoder: %w", err)
	}
	return request, nil
}

// keeper is a transport that keeps what it is given and answers that all is well.
type keeper struct{ body []byte }

func (k *keeper) RoundTrip(r *http.Request) (*http.Response, error) {
	defer r.Body.Close()
	body := io.Reader(r.Body)
	if r.Header.Get("Content-Encoding") == "gzip" {
		unzipped, err := gzip.NewReader(body)
		if err != nil {
			return nil, err
		}
		body = unzipped
	}
	var err error
	if k.body, err = io.ReadAll(body); err != nil {
		return nil, err
	}
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/x-protobuf"}},
		Body: http.NoBody, Request: r}, nil
}
