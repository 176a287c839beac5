package semconv

import (
	"go.opentelemetry.io/otel/attribute"

	"github.com/pidometer/pidometer/platform"
)

// Kind is the asynchronous instrument of a metric.
type Kind uint8

// The kinds.
const (
	Counter Kind = iota // a monotonic sum
	UpDownCounter
	Gauge
	numKinds
)

var kindNames = [numKinds]string{"counter", "updowncounter", "gauge"}

// String returns the kind as the semantic conventions spell it.
func (k Kind) String() string {
	if k >= numKinds {
		return "unknown"
	}
	return kindNames[k]
}

// Point is one field of a metric and the attributes that tell it from the
// metric's other points.
type Point struct {
	Field platform.Field
	Attrs []attribute.KeyValue
}

// Label is a text of an entity that a metric shows as an attribute.
type Label struct {
	Text platform.Text
	Key  attribute.Key
}

// Metric is one instrument: which fields it shows, and how they are spelled.
type Metric struct {
	Name, Unit, Brief string
	Kind              Kind

	// Div is how many base units of the fields make one Unit. 0 means that the
	// field's value is shown as it stands: an integer, unless Ratio or Rate says
	// otherwise. Divide, never multiply by the inverse: ns*1e-9 is off in the last
	// digit for 4 of 10 clock ticks.
	Div float64
	// Ratio, if not 0, divides the values of Points by that field, of the same
	// entity or of the host; where it is 0 or unknown there is no point. (Field 0,
	// the uptime, divides nothing.)
	Ratio platform.Field
	// Rate shows the growth since an earlier pass over the elapsed time, both in
	// nanoseconds, instead of the value.
	Rate bool

	Adds      bool // values of several processes add up, so a remainder may show the sum
	OptIn     bool // shown only when asked for
	Extension bool // not in the semantic conventions: proposed by this project

	Entity platform.Entity
	Points []Point

	// Split is the same metric per part (per CPU), shown instead of Points when
	// asked for, never beside them. nil where there is none.
	Split       []Point
	SplitEntity platform.Entity // the entity of Split
	SplitRatio  platform.Field  // the Ratio of Split: a part is not divided by the number of parts

	Device attribute.Key // the attribute that carries the device's name; "" where there is none
	Labels []Label       // texts of the entity that are attributes too
	Note   string        // what the documentation adds: a choice made, a source to know
}

// Float reports whether the metric's values are floating point numbers.
func (m *Metric) Float() bool { return m.Div != 0 || m.Ratio != 0 || m.Rate }

// ProvidedBy reports whether a kernel that gives these fields can show at least
// one point of the metric.
func (m *Metric) ProvidedBy(given platform.FieldSet) bool {
	return shown(m.Points, m.Ratio, given) || shown(m.Split, m.SplitRatio, given)
}

func shown(points []Point, ratio platform.Field, given platform.FieldSet) bool {
	if ratio != 0 && !given.Has(ratio) {
		return false
	}
	for i := range points {
		if given.Has(points[i].Field) {
			return true
		}
	}
	return false
}
