package command

import (
	"errors"
	"flag"
	"slices"
	"strings"
	"time"

	"github.com/pidometer/pidometer/exporter"
	"github.com/pidometer/pidometer/exporter/cmd/pidometer/internal/table"
	"github.com/pidometer/pidometer/instrumentation"
)

// flags are the flags of all commands; each command takes some.
type flags struct {
	format     string
	processes  string
	metrics    list
	always     list
	filter     one
	attributes list
	root       string
	otlp       string
	interval   time.Duration
	identity   string
	perCPU     bool
	allDevices bool
	raw        bool
	asService  bool
	service    service
	environ    bool
	sort       string
	count      int
	subject    string // what inspect lays open, and what service does
	config     string
	health     string
	observe    bool
	events     string
	report     time.Duration
	lasting    time.Duration
	sources    sources
}

// list is a flag of several values: comma-separated, or given more than once.
type list []string

func (l *list) String() string { return strings.Join(*l, ",") }

func (l *list) Set(s string) error {
	for part := range strings.SplitSeq(s, ",") {
		if part = strings.TrimSpace(part); part != "" {
			*l = append(*l, part)
		}
	}
	return nil
}

// one is a flag of several values that may hold commas: one each time it is given.
type one []string

func (o *one) String() string { return strings.Join(*o, " ") }

func (o *one) Set(s string) error {
	*o = append(*o, s)
	return nil
}

var (
	identities = []exporter.Identity{exporter.IdentityPoint, exporter.IdentityResource}
	formats    = []string{"table", "json", "otlp"}
	choices    = map[string]instrumentation.Processes{
		"top": instrumentation.Top, "all": instrumentation.All, "self": instrumentation.Self, "none": instrumentation.None}
)

func (f *flags) forNone(*flag.FlagSet) {}

func (f *flags) forOnce(set *flag.FlagSet) {
	set.StringVar(&f.format, "format", "table", "`FORMAT`: table, json or otlp (one OTLP/JSON request on one line)")
	set.StringVar(&f.sort, "sort", "", "list the processes by `SIZE` of memory instead: uss, pss, swap or rss")
	f.forBoth(set)
}

func (f *flags) forCPUs(set *flag.FlagSet) {
	set.IntVar(&f.count, "count", 5, "how many times to `LOOK`")
	set.Func("interval", "`TIME` between two looks, 1s by default", f.setInterval)
	set.Var(&f.filter, "filter", "`CONDITION` on processes, such as name=nginx*; all that are given must hold")
}

func (f *flags) forEvents(set *flag.FlagSet) {
	set.StringVar(&f.format, "format", "table", "`FORMAT`: table, json (one object on a line) or otlp (one OTLP/JSON request on a line)")
	set.StringVar(&f.events, "events", "all", "which `EVENTS`: default, or all, which adds process.start, process.exit and pressure")
	set.Func("interval", "`TIME` between two passes, which tell what the kernel does not; 1s by default", f.setInterval)
	set.Func("for", "end after this `TIME`; without it at a signal", f.setLasting)
	set.Var(&f.filter, "filter", "`CONDITION` on processes, such as name=nginx*; all that are given must hold")
	set.StringVar(&f.root, "root", "", "`DIR` that holds the proc, sys and etc to look at, such as /host in a container")
	f.processes = "all"
}

func (f *flags) forRun(set *flag.FlagSet) {
	set.StringVar(&f.events, "events", "default", "which `EVENTS` to export: off, default (entity.state and entity.delete of processes, services, kills for want of memory, counter restarts) or all (process.start, process.exit and pressure too)")
	set.DurationVar(&f.report, "report-interval", 10*time.Minute, "`TIME` after which the entity.state of a process is sent again")
	set.StringVar(&f.config, "config", "", "`FILE` in OpenTelemetry's declarative format; the default is OTEL_CONFIG_FILE; flags beat it, and of the OTEL_* variables it reads only those that it names")
	set.StringVar(&f.health, "health", "", "`ADDRESS` to tell over HTTP, at /healthz and /readyz, how pidometer does, such as 127.0.0.1:13133; none by default")
	set.BoolVar(&f.asService, "service", false, "run as a service of Windows, which the service control manager starts and stops; what is logged goes to the event log")
	set.BoolVar(&f.observe, "self-observation", true, "export pidometer.* too: passes, misses, deliveries, and what this program costs")
	set.StringVar(&f.otlp, "otlp", "", "`URL` of the OTLP endpoint; the default is OTEL_EXPORTER_OTLP_ENDPOINT, then http://localhost:4317")
	set.StringVar(&f.identity, "identity", string(exporter.IdentityPoint), "`WHERE` a process is told: point (PID and creation time on its points, as Prometheus wants it) or resource (a Resource for each process)")
	set.Func("interval", "`TIME` between two exports, such as 15s; the default is OTEL_METRIC_EXPORT_INTERVAL, then 15s", f.setInterval)
	f.forBoth(set)
}

func (f *flags) forBoth(set *flag.FlagSet) {
	set.StringVar(&f.processes, "processes", "top", "which `PROCESSES`: top (30 by CPU, 30 by memory, and the rest as one), all, self or none")
	set.Var(&f.metrics, "metrics", "`PATTERNS`, comma-separated: a name or a pattern with * enables, with - before it disables, * alone means all")
	set.Var(&f.always, "always", "executable `NAMES` that are reported in full beside the top")
	set.Var(&f.filter, "filter", "`CONDITION` on processes, such as name=nginx* or memory>=100MiB; all that are given must hold")
	set.Var(&f.attributes, "process-attributes", "`NAMES` of attributes on the points of processes, such as container.id, process.owner or process.parent_pid")
	set.StringVar(&f.root, "root", "", "`DIR` that holds the proc, sys and etc to look at, such as /host in a container")
	set.BoolVar(&f.perCPU, "per-cpu", false, "show CPU time and utilization per logical CPU")
	set.BoolVar(&f.allDevices, "all-devices", false, "show partitions, stacked disks, virtual interfaces and every mount too")
	set.BoolVar(&f.raw, "raw", false, "show counters as the kernel gives them, falling ones too")
}

// check refuses what no flag type can.
func (f *flags) check() error {
	if f.format != "" && !slices.Contains(formats, f.format) {
		return bad("--format %q is none of table, json and otlp", f.format)
	}
	if f.sort != "" && (f.format != "table" || !slices.Contains(table.Sizes, f.sort)) {
		return bad("--sort %q: there are uss, pss, swap and rss, and the table only", f.sort)
	}
	if f.identity != "" && !slices.Contains(identities, exporter.Identity(f.identity)) {
		return bad("--identity %q is neither point nor resource", f.identity)
	}
	if _, ok := eventSets[f.events]; f.events != "" && !ok {
		return bad("%s %q is none of off, default and all", f.named("events"), f.events)
	}
	if f.report < 0 {
		return bad("%s %v is not above zero: write one such as 10m", f.named("report-interval"), f.report)
	}
	if f.count < 0 {
		return bad("--count %d is below zero", f.count)
	}
	if _, ok := choices[f.processes]; f.processes != "" && !ok {
		return bad("%s %q is none of top, all, self and none", f.named("processes"), f.processes)
	}
	if err := checkHealth(f.health); err != nil {
		return bad("%s: %w", f.named("health"), err)
	}
	return f.combine()
}

// combine refuses what has no effect together.
func (f *flags) combine() error {
	switch p := f.processes; {
	case p == "":
		return nil
	case len(f.always) > 0 && (p == "self" || p == "none"):
		return bad("%s adds to the top processes, and they are %s: write top", f.named("always"), p)
	case len(f.filter) > 0 && (p == "self" || p == "none"):
		return bad("%s chooses among processes, and they are %s: write top or all", f.named("filter"), p)
	case len(f.attributes) > 0 && p == "none":
		return bad("%s describes processes, and they are none", f.named("process-attributes"))
	case f.identity == string(exporter.IdentityResource) && (p == "self" || p == "none"):
		return bad("%s resource tells processes apart, and they are %s: write top or all", f.named("identity"), p)
	}
	return nil
}

func (f *flags) setInterval(s string) error { return setTime(&f.interval, s) }

func (f *flags) setLasting(s string) error { return setTime(&f.lasting, s) }

func setTime(to *time.Duration, s string) (err error) {
	if *to, err = time.ParseDuration(s); err != nil {
		return errors.New("write a time with its unit, such as 15s")
	}
	if *to <= 0 {
		return errors.New("not above zero: write one such as 15s")
	}
	return nil
}

// options says to package instrumentation what the flags say.
func (f *flags) options() []instrumentation.Option {
	options := []instrumentation.Option{
		instrumentation.WithProcesses(choices[f.processes]),
		instrumentation.WithMetrics(f.metrics...),
		instrumentation.WithAlways(f.always...),
		instrumentation.WithFilter(f.filter...),
		instrumentation.WithProcessAttributes(f.attributes...),
		instrumentation.WithRoot(f.root),
		instrumentation.WithReportInterval(f.report),
	}
	for _, o := range []struct {
		on     bool
		option func() instrumentation.Option
	}{
		{f.perCPU, instrumentation.WithPerCPU},
		{f.allDevices, instrumentation.WithAllDevices},
		{f.raw, instrumentation.WithRawCounters},
		{f.observe, instrumentation.WithSelfObservation},
	} {
		if o.on {
			options = append(options, o.option())
		}
	}
	return options
}
