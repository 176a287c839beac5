package semconv_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/attribute"

	"github.com/pidometer/pidometer/platform"
	"github.com/pidometer/pidometer/semconv"
)

func TestSortedAndUnique(t *testing.T) {
	all := semconv.Metrics()
	for i := 1; i < len(all); i++ {
		if all[i-1].Name >= all[i].Name {
			t.Errorf("%s stands before %s", all[i-1].Name, all[i].Name)
		}
	}
}

// nested are the metrics that the conventions made a namespace of others, against
// their own rule.
var nested = []string{"hw.battery.charge", "hw.cpu.speed", "hw.fan.speed", "hw.temperature", "hw.voltage"}

// The rules for names: segments in lower case, and no metric that is a namespace
// of another, which some stores cannot hold.
func TestNames(t *testing.T) {
	valid := regexp.MustCompile(`^(container|hw|process|system|windows)(\.[a-z][a-z0-9]*(_[a-z0-9]+)*)+$`)
	for _, m := range semconv.Metrics() {
		if !valid.MatchString(m.Name) {
			t.Errorf("%s: not a name", m.Name)
		}
		for _, n := range semconv.Metrics() {
			if strings.HasPrefix(n.Name, m.Name+".") && !slices.Contains(nested, m.Name) {
				t.Errorf("%s is a namespace of %s", m.Name, n.Name)
			}
		}
	}
}

func TestMetricsIsTheCallers(t *testing.T) {
	semconv.Metrics()[0].Name = "changed"
	if got := semconv.Metrics()[0].Name; got == "changed" {
		t.Error("a change to what Metrics returned shows in the next call")
	}
}

func TestPointsDiffer(t *testing.T) {
	for _, m := range semconv.Metrics() {
		for _, f := range forms(&m) {
			seen := map[attribute.Distinct]platform.Field{}
			for _, p := range f.points {
				set := m.Attributes(subjects[f.entity], p)
				if other, twice := seen[set.Equivalent()]; twice {
					t.Errorf("%s: %s and %s have the same attributes", m.Name, other, p.Field)
				}
				seen[set.Equivalent()] = p.Field
				if set.Len() != len(p.Attrs)+identitySize(&m, f.entity) {
					t.Errorf("%s: an attribute of %s hides one of the identity", m.Name, p.Field)
				}
			}
		}
	}
}

func identitySize(m *semconv.Metric, e platform.Entity) int {
	set := m.Attributes(subjects[e], semconv.Point{})
	return set.Len()
}

func TestFieldsBelongToTheEntity(t *testing.T) {
	for _, m := range semconv.Metrics() {
		for _, f := range forms(&m) {
			if len(f.points) == 0 {
				t.Errorf("%s shows nothing", m.Name)
			}
			for _, p := range f.points {
				if e := p.Field.Info().Entity; e != f.entity {
					t.Errorf("%s: %s is of %s, want %s", m.Name, p.Field, e, f.entity)
				}
			}
			if e := f.ratio.Info().Entity; e != f.entity && e != platform.Host {
				t.Errorf("%s: divided by %s, which neither %s nor the host has", m.Name, f.ratio, f.entity)
			}
		}
	}
}

// The attributes of a point say what its field's name says: disk.read.bytes is
// disk.io.direction=read. Swapped rows are the mistake that no definition shows.
func TestAttributesMatchFields(t *testing.T) {
	assumed := attribute.String("system.paging.fault.type", "major") // of swap, see the row's note
	for _, m := range semconv.Metrics() {
		for _, f := range forms(&m) {
			for _, p := range f.points {
				said := strings.Split(p.Field.String(), ".")
				for _, kv := range p.Attrs {
					v := kv.Value.AsString()
					whole := strings.Contains("."+p.Field.String()+".", "."+v+".")
					if kv != assumed && !whole && !slices.Contains(said, v+"s") {
						t.Errorf("%s: %s is not %s=%s", m.Name, p.Field, kv.Key, v)
					}
				}
			}
		}
	}
}

// A metric per part has as many parts as the whole has points, with the same
// attributes.
func TestSplitMatchesPoints(t *testing.T) {
	same := func(a, b semconv.Point) bool { return slices.Equal(a.Attrs, b.Attrs) }
	for _, m := range semconv.Metrics() {
		if m.Split != nil && !slices.EqualFunc(m.Points, m.Split, same) {
			t.Errorf("%s: the parts differ from the whole", m.Name)
		}
		if m.Split == nil && (m.SplitEntity != 0 || m.SplitRatio != 0) {
			t.Errorf("%s: a divisor or entity of parts that there are not", m.Name)
		}
	}
}

// An interface, disk or file system without its name would be the same series as
// the next one.
func TestDevice(t *testing.T) {
	named := []platform.Entity{platform.Disk, platform.Filesystem, platform.Network, platform.Swap, platform.Lock, platform.Pressure}
	for _, m := range semconv.Metrics() {
		hardware := strings.HasPrefix(m.Name, "hw.")
		if hardware && m.Device != semconv.HardwareID {
			t.Errorf("%s: device attribute %q of a piece of hardware", m.Name, m.Device)
		}
		if want := hardware || slices.Contains(named, m.Entity); (m.Device != "") != want {
			t.Errorf("%s: device attribute %q of a %s", m.Name, m.Device, m.Entity)
		}
	}
}

// units are the conversions that rows make, from base unit to unit.
var units = map[[2]string]struct {
	div         float64
	ratio, rate bool
}{
	{"ns", "s"}:         {div: 1e9},
	{"ns", "1"}:         {rate: true},
	{"By", "By"}:        {},
	{"By", "1"}:         {ratio: true},
	{"Hz", "Hz"}:        {},
	{"", "{}"}:          {},
	{"", "1"}:           {ratio: true},
	{"0.01", "{}"}:      {div: 100},
	{"0.0001", "1"}:     {div: 10_000},
	{"0.000001", "{}"}:  {div: 1e6},
	{"0.000001", "1"}:   {div: 1e6},
	{"mCel", "Cel"}:     {div: 1000},
	{"mV", "V"}:         {div: 1000},
	{"uW", "W"}:         {div: 1e6},
	{"uJ", "J"}:         {div: 1e6},
	{"J", "J"}:          {},
	{"rpm", "rpm"}:      {},
	{"rpm", "1"}:        {ratio: true},
	{"By/s", "By/s"}:    {},
	{"1", "1"}:          {},
	{"0/1", "1"}:        {},
	{"ns", "1 of CPUs"}: {rate: true, ratio: true},
}

func TestUnits(t *testing.T) {
	annotation := regexp.MustCompile(`^\{[a-z_]+\}$`)
	for _, m := range semconv.Metrics() {
		unit := annotation.ReplaceAllString(m.Unit, "{}")
		for _, f := range forms(&m) {
			if m.Rate && f.ratio != 0 {
				unit = "1 of CPUs"
			} else if m.Rate {
				unit = "1"
			}
			for _, p := range f.points {
				u, ok := units[[2]string{p.Field.Info().Unit, unit}]
				if !ok || m.Div != u.div || m.Rate != u.rate || (f.ratio != 0) != u.ratio {
					t.Errorf("%s: %s in %q is no %q by div %v, ratio %s, rate %v",
						m.Name, p.Field, p.Field.Info().Unit, m.Unit, m.Div, f.ratio, m.Rate)
				}
				if base := f.ratio.Info().Unit; f.ratio != 0 && base != p.Field.Info().Unit && base != "" {
					t.Errorf("%s: %s over %s", m.Name, p.Field, f.ratio)
				}
			}
		}
	}
}

// A sum that may fall, or a gauge that only rises, misleads every consumer.
func TestKinds(t *testing.T) {
	for _, m := range semconv.Metrics() {
		if m.Rate && m.Kind != semconv.Gauge {
			t.Errorf("%s: a rate is a gauge", m.Name)
		}
		for _, f := range forms(&m) {
			for _, p := range f.points {
				want := m.Kind == semconv.Counter || m.Rate
				if p.Field.Info().Cumulative != want {
					t.Errorf("%s: %s cumulative %v, want %v", m.Name, p.Field, !want, want)
				}
			}
		}
	}
}

// lonely are the sums and shares of processes that do not add up.
var lonely = map[string]string{
	"process.child.cpu.time":                   "the children's own series hold it too",
	"process.child.paging.faults":              "likewise",
	"process.cpu.affinity.count":               "processes share the CPUs",
	"process.cpu.limit":                        "it is of a group",
	"process.memory.limit":                     "it is of a group",
	"process.unix.file_descriptor.utilization": "shares of different wholes",
}

// What adds up over processes: every sum, and shares of the host's CPUs and
// memory. An uptime does not.
func TestAdds(t *testing.T) {
	for _, m := range semconv.Metrics() {
		want := m.Entity == platform.Process && (m.Kind != semconv.Gauge || strings.HasSuffix(m.Name, ".utilization"))
		if _, alone := lonely[m.Name]; m.Adds != (want && !alone) {
			t.Errorf("%s: adds %v, want %v", m.Name, m.Adds, !m.Adds)
		}
	}
}

// The points that tell a field and the metrics that show it are many to many, but
// a field that no metric shows or is divided by is read for nothing.
func TestFieldsAreShown(t *testing.T) {
	unshown := platform.Fields( // what a pass and a detail need, not a metric
		platform.ProcessState, platform.ProcessParent, platform.ProcessUser, platform.ProcessVPID, platform.ServiceProcess)
	for _, m := range semconv.Metrics() {
		for _, f := range forms(&m) {
			unshown.Add(f.ratio)
			for _, p := range f.points {
				unshown.Add(p.Field)
			}
		}
	}
	for f := range platform.Field(platform.FieldCount) {
		if !unshown.Has(f) {
			t.Errorf("no metric shows %s", f)
		}
	}
}

func TestProvidedBy(t *testing.T) {
	byName := map[string]semconv.Metric{}
	for _, m := range semconv.Metrics() {
		byName[m.Name] = m
	}
	for _, x := range []struct {
		metric string
		given  platform.FieldSet
		want   bool
	}{
		{"system.uptime", platform.Fields(platform.HostUptime), true},
		{"system.uptime", platform.FieldSet{}, false},
		{"system.disk.io", platform.Fields(platform.DiskReadBytes), true},
		{"system.cpu.time", platform.Fields(platform.CPUUser), true},
		{"system.cpu.utilization", platform.Fields(platform.HostCPUUser), false},
		{"system.cpu.utilization", platform.Fields(platform.HostCPUUser, platform.HostCPULogical), true},
		{"system.cpu.utilization", platform.Fields(platform.CPUUser), true},
		{"system.paging.utilization", platform.Fields(platform.SwapTotal), false},
	} {
		m := byName[x.metric]
		if got := m.ProvidedBy(x.given); got != x.want {
			t.Errorf("%s is provided: %v, want %v", x.metric, got, x.want)
		}
	}
}

func TestKindString(t *testing.T) {
	for k, want := range map[semconv.Kind]string{semconv.Counter: "counter",
		semconv.UpDownCounter: "updowncounter", semconv.Gauge: "gauge", 9: "unknown"} {
		if k.String() != want {
			t.Errorf("kind %d is %q, want %q", k, k, want)
		}
	}
}
