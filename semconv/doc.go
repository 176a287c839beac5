// Package semconv says how each field of package platform is spelled in
// OpenTelemetry: names, units, instruments and attributes, as the semantic
// conventions of [Version] give them. It holds tables, and no state.
//
// A metric is one row of [Metrics]. [Select] chooses rows by name or pattern, and
// [Metric.Attributes] puts the identity of an entity beside the attributes of a
// point:
//
//	enabled, err := semconv.Select([]string{"system.cpu.utilization", "-system.network.*"})
//	set := enabled[0].Attributes(subject, enabled[0].Points[0])
//
// What the conventions lack is marked as an extension: it follows their rules for
// names and is shown only when asked for.
package semconv

//go:generate go test -run=Docs . -update

// The release of the semantic conventions that every row is checked against.
const (
	Version   = "1.44.0"
	SchemaURL = "https://opentelemetry.io/schemas/" + Version
)
