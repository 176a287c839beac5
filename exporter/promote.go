package exporter

import (
	"bytes"
	"compress/gzip"
	"context"
	"io"
	"net/http"
	"slices"

	collector "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	metrics "go.opentelemetry.io/proto/otlp/metrics/v1"
	wire "go.opentelemetry.io/proto/otlp/resource/v1"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
)

// promote makes a resource of each scope that [splitter] has marked. It stands behind
// the SDK's exporter, which sends one resource in a request, and so would need as many
// requests as there are processes. It changes nothing of what it is given: that may be
// sent again.
func promote(r *collector.ExportMetricsServiceRequest) *collector.ExportMetricsServiceRequest {
	out := &collector.ExportMetricsServiceRequest{}
	for _, rm := range r.ResourceMetrics {
		unmarked := &metrics.ResourceMetrics{Resource: rm.Resource, SchemaUrl: rm.SchemaUrl}
		host := slices.DeleteFunc(slices.Clone(rm.GetResource().GetAttributes()), func(kv *common.KeyValue) bool {
			return among(measuring, kv.Key)
		})
		var marked []*metrics.ResourceMetrics
		for _, sm := range rm.ScopeMetrics {
			i := slices.IndexFunc(sm.GetScope().GetAttributes(), func(kv *common.KeyValue) bool { return kv.Key == string(promoted) })
			if i < 0 {
				unmarked.ScopeMetrics = append(unmarked.ScopeMetrics, sm)
				continue
			}
			marked = append(marked, promoteScope(host, sm, i, rm.SchemaUrl))
		}
		if len(unmarked.ScopeMetrics) > 0 {
			out.ResourceMetrics = append(out.ResourceMetrics, unmarked)
		}
		out.ResourceMetrics = append(out.ResourceMetrics, marked...)
	}
	return out
}

// promoteScope makes the resource of one scope, of which attribute i is the mark.
func promoteScope(host []*common.KeyValue, sm *metrics.ScopeMetrics, i int, url string) *metrics.ResourceMetrics {
	attrs := sm.Scope.Attributes
	scope := &common.InstrumentationScope{Name: sm.Scope.Name, Version: sm.Scope.Version,
		Attributes: slices.Delete(slices.Clone(attrs), i, i+1), DroppedAttributesCount: sm.Scope.DroppedAttributesCount}
	process := attrs[i].GetValue().GetKvlistValue().GetValues()
	return &metrics.ResourceMetrics{
		Resource:     &wire.Resource{Attributes: slices.Concat(host, process)},
		SchemaUrl:    url,
		ScopeMetrics: []*metrics.ScopeMetrics{{Scope: scope, Metrics: sm.Metrics, SchemaUrl: sm.SchemaUrl}},
	}
}

// promoteGRPC is promote between the SDK's exporter and its connection.
func promoteGRPC(ctx context.Context, method string, request, reply any, conn *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
	if r, ok := request.(*collector.ExportMetricsServiceRequest); ok {
		request = promote(r)
	}
	return invoke(ctx, method, request, reply, conn, opts...)
}

// promoter is promote over HTTP, where the SDK's exporter hands out bytes: they are
// decoded and encoded once more.
type promoter struct{ http.RoundTripper }

func (p promoter) RoundTrip(given *http.Request) (*http.Response, error) {
	body, err := readBody(given)
	if err != nil {
		return nil, err
	}
	r := &collector.ExportMetricsServiceRequest{}
	if err := proto.Unmarshal(body, r); err != nil {
		return nil, err
	}
	if body, err = proto.Marshal(promote(r)); err != nil {
		return nil, err
	}
	if given.Header.Get("Content-Encoding") == "gzip" {
		body = compress(body)
	}
	sent := given.Clone(given.Context())
	sent.ContentLength = int64(len(body))
	sent.Body = io.NopCloser(bytes.NewReader(body))
	sent.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
	return p.RoundTripper.RoundTrip(sent)
}

// readBody reads and closes the body of a request, as [http.RoundTripper] wants it.
func readBody(r *http.Request) ([]byte, error) {
	defer r.Body.Close()
	if r.Header.Get("Content-Encoding") != "gzip" {
		return io.ReadAll(r.Body)
	}
	plain, err := gzip.NewReader(r.Body)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(plain)
}
