package exporter

import (
	"context"

	"github.com/google/uuid"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/resource"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
)

// serviceName is what the metrics are filed under when nobody names a service.
const serviceName = "pidometer"

// Resource returns the resource that [New] sends with the given attributes: the
// SDK, these attributes, and over them what the environment says, with a
// service.name, a service.instance.id and every string made valid UTF-8.
func Resource(ctx context.Context, found ...attribute.KeyValue) (*resource.Resource, error) {
	// Only these two detectors are used: that of the process exports its arguments,
	// and those of host and OS run commands on darwin and the BSDs (sdk/resource
	// v1.47.0, host_id_exec.go).
	sdk, err := resource.New(ctx, resource.WithTelemetrySDK())
	if err != nil {
		return nil, err
	}
	// What of the variables can be read is used; the SDK's MeterProvider reads
	// them once more and reports the rest.
	env, _ := resource.New(ctx, resource.WithFromEnv())
	attrs := append(sdk.Attributes(), semconv.ServiceName(serviceName))
	attrs = append(attrs, found...)
	attrs = append(attrs, env.Attributes()...)
	attrs = withInstance(attribute.NewSet(attrs...)) // the last of a key wins
	return resource.NewWithAttributes(sdk.SchemaURL(), repairAll(attrs)...), nil
}

// withInstance adds service.instance.id where it is missing. It must tell apart
// all instances of one service.name: our own runs once per host and keeps its
// series over a restart, of any other service there may be several on a host.
func withInstance(set attribute.Set) []attribute.KeyValue {
	if set.HasValue(semconv.ServiceInstanceIDKey) {
		return set.ToSlice()
	}
	id := uuid.NewString()
	name, _ := set.Value(semconv.ServiceNameKey)
	if host, ok := set.Value(semconv.HostIDKey); ok && name.AsString() == serviceName {
		id = host.AsString()
	}
	return append(set.ToSlice(), semconv.ServiceInstanceID(id))
}
