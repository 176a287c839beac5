package instrumentation

import (
	"time"

	"go.opentelemetry.io/otel/log"
	"go.opentelemetry.io/otel/metric"

	"github.com/pidometer/pidometer/internal/oneshot"
	"github.com/pidometer/pidometer/internal/series"
	"github.com/pidometer/pidometer/platform"
	"github.com/pidometer/pidometer/platform/native"
)

// Option changes what [Start] reports, and where.
type Option interface{ apply(config) config }

type config struct {
	series   series.Config
	platform native.Options
	provider metric.MeterProvider
	loggers  log.LoggerProvider
	events   Events
	report   time.Duration // of entity.state; 0 for the default
	observed bool          // the passes report themselves

	eventsSet bool             // events says something
	backend   platform.Backend // of a test; nil for this machine's
}

type option func(*config)

func (o option) apply(c config) config {
	o(&c)
	return c
}

func newConfig(options []Option) config {
	c := config{series: series.Config{Processes: oneshot.Self}}
	for _, o := range options {
		c = o.apply(c)
	}
	return c
}

// Processes says which processes are reported.
type Processes uint8

// The choices of [WithProcesses].
const (
	// None reports no process.
	None = Processes(oneshot.None)
	// Self reports the calling process, without identity on its points: the
	// Resource of the program already says who it is. This is the default.
	Self = Processes(oneshot.Self)
	// Top reports the 30 largest processes by CPU, the 30 largest by memory,
	// those named by [WithAlways], and one remainder for all others, whose
	// points carry pidometer.process.group="other". Every increment of a counter
	// is in exactly one of these series.
	Top = Processes(oneshot.Top)
	// All reports every process. Above some 650 processes that passes the
	// cardinality limit of 2000 that an SDK has by default; package producer has
	// no such limit.
	All = Processes(oneshot.All)
)

// WithMeterProvider takes another MeterProvider than the global one.
func WithMeterProvider(p metric.MeterProvider) Option {
	return option(func(c *config) { c.provider = p })
}

// WithProcesses chooses the processes.
func WithProcesses(p Processes) Option {
	return option(func(c *config) { c.series.Processes = oneshot.Processes(p) })
}

// WithAlways reports the processes with these executable names in full beside the
// top ones. It matters for [Top] only.
func WithAlways(executables ...string) Option {
	return option(func(c *config) { c.series.Always = append(c.series.Always, executables...) })
}

// WithProcessAttributes adds attributes to the points of processes, by the names that
// [semconv.ProcessAttributes] lists, such as container.id, k8s.pod.uid, process.owner
// or process.parent_pid. What they are made of is read for the processes that are
// reported, and only if it is asked for: process.command_args may hold secrets. An
// attribute whose value changes begins a new series. An unknown name is an error of
// [Start].
func WithProcessAttributes(names ...string) Option {
	return option(func(c *config) { c.series.Attributes = append(c.series.Attributes, names...) })
}

// WithFilter sees only the processes of which all conditions hold:
//
//	name=nginx*                 the kernel's short name
//	executable=/usr/bin/*       the program file, or its base name without a slash
//	owner=www-data|33           the effective user
//	state=running               running, sleeping, stopped or defunct
//	cgroup=/system.slice/*      the control group
//	unit=ssh.service            the service manager's unit
//	tree=4711                   the process and its descendants
//	env=KEY or env=KEY=value    the environment at exec, read for this alone
//	age>=10m                    and age<10m
//	memory>=100MiB              resident; and memory<100MiB
//
// Alternatives are separated by |, a star stands for any run of characters, and !=
// turns a condition around. A condition on something that can't be read holds for
// nobody. The cheapest are asked first: of a process that is not called nginx, one
// file is read. A condition that can't be understood is an error of [Start].
func WithFilter(conditions ...string) Option {
	return option(func(c *config) { c.series.Filter = append(c.series.Filter, conditions...) })
}

// WithMetrics changes the default set of metrics, in order: a name or a pattern
// with * enables, with a leading - it disables; * alone enables all, those
// included that are off by default. A metric that is disabled is not read either.
// A name that does not exist is an error of [Start].
func WithMetrics(patterns ...string) Option {
	return option(func(c *config) { c.series.Metrics = append(c.series.Metrics, patterns...) })
}

// WithRoot looks at the host under dir, a folder that holds its proc, sys and
// etc: /host in a container that has the host's file system mounted there. The
// calling process itself is always read through its own /proc.
func WithRoot(dir string) Option {
	return option(func(c *config) { c.platform.Root = dir })
}

// WithAllDevices reports partitions, stacked and memory disks, virtual network
// interfaces and every mount too. Their sums count things twice.
func WithAllDevices() Option {
	return option(func(c *config) { c.platform.AllDevices = true })
}

// WithBudget is how long a file system or a device may take to answer before a
// pass goes on without it. The default is one second.
func WithBudget(d time.Duration) Option {
	return option(func(c *config) { c.platform.Budget = d })
}

// WithPerCPU shows CPU time and utilization per logical CPU instead of their sums.
func WithPerCPU() Option {
	return option(func(c *config) { c.series.PerCPU = true })
}

// WithoutHost leaves the host's own metrics out.
func WithoutHost() Option {
	return option(func(c *config) { c.series.WithoutHost = true })
}

// WithRawCounters shows cumulative values as the kernel gives them. They may fall
// when a counter wraps or a device is re-created; by default they never do.
func WithRawCounters() Option {
	return option(func(c *config) { c.series.Raw = true })
}

// WithLifetime shows the counters of [Top] processes since their creation, and the
// remainder as the plain sum of all others. That is right for a program that
// looks once and ends. One that goes on looking would count increments twice as
// processes enter and leave the top.
func WithLifetime() Option {
	return option(func(c *config) { c.series.Lifetime = true })
}

// Check returns the error that [Start] would have for these options because of what
// they say, without reading anything of this machine: an unknown metric, attribute or
// condition, or a pattern that matches nothing.
func Check(options ...Option) error { return newConfig(options).series.Check() }

// Open resolves options to what package producer and [Start] read from. It is of
// no use outside this module.
func Open(options ...Option) (*series.Reader, error) { return newConfig(options).open() }

// Observed reports whether [WithSelfObservation] is among the options. It is of no use
// outside this module.
func Observed(options ...Option) bool { return newConfig(options).observed }

func (c config) open() (*series.Reader, error) {
	backend, err := c.kernel()
	if err != nil {
		return nil, err
	}
	reader, err := c.read(backend)
	if err != nil {
		backend.Close()
		return nil, err
	}
	return reader, nil
}

// read opens the walk over a backend, and what goes along with it. What is wrong with
// the configuration is found before anything listens.
func (c config) read(backend platform.Backend) (*series.Reader, error) {
	if err := c.series.Check(); err != nil {
		return nil, err
	}
	beside, err := c.accompany(backend)
	if err != nil {
		return nil, err
	}
	if beside == nil {
		return series.Open(c.series, backend)
	}
	c.series.Companion = beside
	reader, err := series.Open(c.series, backend)
	if err != nil {
		beside.Close()
		return nil, err
	}
	beside.reader = reader
	return reader, nil
}

func (c config) kernel() (platform.Backend, error) {
	if c.backend != nil {
		return c.backend, nil
	}
	return native.New(c.platform)
}
