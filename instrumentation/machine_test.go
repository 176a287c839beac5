package instrumentation_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"time"

	"github.com/pidometer/pidometer/platform"
)

// machine is a kernel in memory that lives through a day: processes, interfaces and
// disks come and go, and counters of 32 and 64 bits pass their width. It keeps the
// books of what its one observer was told, which no figure derived from that may
// contradict.
type machine struct {
	random *rand.Rand
	boot   time.Time // when it truly started, part of a second included
	now    time.Time
	pid    uint64
	born   int
	tasks  []*task // long-lived ones first
	disks  []*device
	links  []*device
	dark   int // passes for which the disks can't be read
	passes int
	told   map[string]uint64 // by metric, since the first pass
}

// count is one counter: what was truly counted, and how much of it the observer has
// seen.
type count struct {
	metric string // whose books it goes into; "" for none
	field  platform.Field
	bits   uint8 // of the kernel's counter
	step   uint64
	rate   float64 // a second
	value  uint64
	seen   uint64
}

type task struct {
	key    platform.Key
	name   []byte
	ends   time.Time // zero for never
	counts []count
	known  bool // seen by an earlier pass
}

type device struct {
	name   string
	ends   time.Time
	counts []count
	known  bool
}

const (
	fromTasks = iota
	fromDetail
	fromDisks
	fromLinks
)

// residents is how many processes live all day, fewer than the top is.
const residents = 25

// pids is how many PIDs there are, so that a day reuses each several times.
const pids = 20_000

func newMachine(seed uint64, now time.Time) *machine {
	m := &machine{random: rand.New(rand.NewPCG(seed, 0)), now: now, told: map[string]uint64{},
		boot: now.Add(-60*24*time.Hour - 300*time.Millisecond)} // 32-bit milliseconds may have wrapped since
	for range residents {
		m.tasks = append(m.tasks, m.newTask(now.Add(-time.Hour), time.Time{}))
	}
	m.tasks[0].counts[4].rate = 2e6 // faults: passes 32 bits every 36 minutes
	m.disks = []*device{m.newDisk("sda"), m.newDisk("sdb"), m.newDisk("resets")}
	m.disks[0].counts[1].value = 1<<32 - 1e6
	m.disks[0].counts[2].value = 1<<32 - 1e6
	m.links = []*device{m.newLink("eth0"), m.newLink("huge")}
	m.links[1].counts[0].value = 1<<64 - 1<<40 // passes 64 bits in the course of the day
	m.links[1].counts[0].rate = 1 << 25
	return m
}

func (m *machine) newTask(born, ends time.Time) *task {
	m.born++
	m.pid = m.pid%pids + 1
	for slices.ContainsFunc(m.tasks, func(t *task) bool { return t.key.ID == m.pid }) {
		m.pid = m.pid%pids + 1
	}
	r := m.random
	return &task{
		key:  platform.Key{ID: m.pid, Start: uint64(born.Sub(m.boot) / (10 * time.Millisecond))},
		name: fmt.Appendf(nil, "worker-%d", r.IntN(50)), ends: ends,
		counts: []count{
			{"", platform.ProcessCPUUser, 0, 1, r.Float64() * 1e9, 0, 0},
			{"", platform.ProcessCPUSystem, 0, 1, r.Float64() * 1e8, 0, 0},
			{"process.disk.io", platform.ProcessDiskReadBytes, 0, 1, r.Float64() * 1e6, 0, 0},
			{"process.disk.io", platform.ProcessDiskWriteBytes, 0, 1, r.Float64() * 1e6, 0, 0},
			{"process.paging.faults", platform.ProcessFaultsMinor, 32, 1, r.Float64() * 1e4, 0, 0},
			{"", platform.ProcessSwitchesVoluntary, 32, 1, r.Float64() * 1e3, 0, 0},
		},
	}
}

func (m *machine) newDisk(name string) *device {
	return &device{name: name, counts: []count{
		{"system.disk.io", platform.DiskReadBytes, 0, 1, m.random.Float64() * 1e8, 0, 0},
		{"system.disk.operations", platform.DiskReads, 32, 1, 2e5 + m.random.Float64()*1e6, 0, 0},
		{"", platform.DiskIOTime, 32, 1e6, 9e10, 0, 0}, // 90 s of I/O a second: wraps after 13 hours
	}}
}

func (m *machine) newLink(name string) *device {
	return &device{name: name, counts: []count{
		{"system.network.io", platform.NetworkReceiveBytes, 0, 1, m.random.Float64() * 1e8, 0, 0},
		{"system.network.packet.count", platform.NetworkReceivePackets, 32, 1, m.random.Float64() * 1e6, 0, 0},
	}}
}

// offTheBooks names devices whose counters do what leaves no certainty: they are reset
// in place, so that 32 bits may have wrapped, or are beyond what OTLP can say.
var offTheBooks = []string{"resets", "huge"}

// live lets time pass and births happen in it, spread at random.
func (m *machine) live(d time.Duration, births int) {
	begin := m.now
	m.now = m.now.Add(d)
	for range births {
		born := begin.Add(time.Duration(m.random.Int64N(int64(d))))
		ends := born.Add(time.Duration(m.random.ExpFloat64() * float64(90*time.Second)))
		t := m.newTask(born, ends)
		m.run(t.counts, min(m.now.Sub(born), ends.Sub(born)))
		if ends.After(m.now) {
			m.tasks = append(m.tasks, t)
		}
	}
	for _, t := range m.tasks {
		if t.known {
			m.run(t.counts, d)
		}
	}
	for _, dev := range append(slices.Clone(m.disks), m.links...) {
		m.run(dev.counts, d)
	}
	m.tasks = slices.DeleteFunc(m.tasks, func(t *task) bool { return over(t.ends, m.now) })
	m.disks = slices.DeleteFunc(m.disks, func(d *device) bool { return over(d.ends, m.now) })
	m.links = slices.DeleteFunc(m.links, func(d *device) bool { return over(d.ends, m.now) })
}

func over(end, now time.Time) bool { return !end.IsZero() && !end.After(now) }

// run counts on.
func (m *machine) run(counts []count, d time.Duration) {
	for i := range counts {
		c := &counts[i]
		c.value += uint64(c.rate * d.Seconds() * (0.5 + m.random.Float64()) / float64(c.step))
	}
}

// churn makes interfaces under new names and under old ones, pulls a disk and
// brings it back, resets another where it stands, and hides them all for a while.
func (m *machine) churn(minute int) {
	m.dark = max(m.dark-1, 0)
	after := func(most int) time.Time { return m.now.Add(time.Duration(1+m.random.IntN(most)) * time.Minute) }
	for i := range 5 {
		name := fmt.Sprintf("veth%d", minute*5+i)
		if i == 0 {
			name = fmt.Sprintf("tun%d", m.random.IntN(20))
		}
		if !slices.ContainsFunc(m.links, func(d *device) bool { return d.name == name }) {
			link := m.newLink(name)
			link.ends = after(10)
			m.links = append(m.links, link)
		}
	}
	switch {
	case minute%60 == 20:
		m.disk("sdb").ends = after(10)
	case minute%60 == 40:
		m.disks = append(m.disks, m.newDisk("sdb"))
	case minute%60 == 50:
		m.disk("resets").reset()
	case minute%60 == 10:
		m.dark = 3
	}
}

func (m *machine) disk(name string) *device {
	return m.disks[slices.IndexFunc(m.disks, func(d *device) bool { return d.name == name })]
}

func (d *device) reset() {
	for i := range d.counts {
		d.counts[i].value, d.counts[i].seen = 0, 0
	}
}

// rest ends everything that came in the course of the day.
func (m *machine) rest() {
	m.tasks = slices.Clone(m.tasks[:residents])
	m.links = slices.Clone(m.links[:2])
}

func (m *machine) Sources() []platform.Source {
	return []platform.Source{
		fromTasks: {Name: "tasks", Entity: platform.Process, Clock: true, Cost: 1, Texts: []platform.Text{platform.ProcessCommand},
			Gives: []platform.Given{{Field: platform.ProcessCPUUser}, {Field: platform.ProcessCPUSystem}, {Field: platform.ProcessMemoryRSS},
				{Field: platform.ProcessState}, {Field: platform.ProcessDiskReadBytes}, {Field: platform.ProcessDiskWriteBytes},
				{Field: platform.ProcessFaultsMinor, Bits: 32}}},
		fromDetail: {Name: "detail", Entity: platform.Process, Dear: true, Cost: 1,
			Gives: []platform.Given{{Field: platform.ProcessSwitchesVoluntary, Bits: 32}}},
		fromDisks: {Name: "disks", Entity: platform.Disk, Cost: 1,
			Gives: []platform.Given{{Field: platform.DiskReadBytes}, {Field: platform.DiskReads, Bits: 32},
				{Field: platform.DiskIOTime, Bits: 32, Step: 1e6}}},
		fromLinks: {Name: "links", Entity: platform.Network, Cost: 1,
			Gives: []platform.Given{{Field: platform.NetworkReceiveBytes}, {Field: platform.NetworkReceivePackets, Bits: 32}}},
	}
}

// Boot is in whole seconds, as kernels tell it.
func (m *machine) Boot() platform.Boot {
	return platform.Boot{Time: m.boot.Truncate(time.Second), Tick: 10 * time.Millisecond}
}

func (m *machine) Begin(context.Context) (platform.Reader, error) {
	m.passes++
	return &glance{machine: m}, nil
}

func (m *machine) Close() error { return nil }

// glance is one pass over a machine.
type glance struct {
	*machine
	sample platform.Sample
}

func (g *glance) Close() error { return nil }

func (g *glance) Read(set platform.SourceSet, sink platform.Sink) error {
	for _, t := range g.tasks {
		if set.Has(fromTasks) {
			g.book(t.counts[:5], t.known)
			t.known = true
			g.tell(t, set, sink)
		}
	}
	switch {
	case !set.Has(fromDisks):
	case g.dark > 0:
		sink.Miss(fromDisks, platform.Denied)
	default:
		g.tellAll(platform.Disk, g.disks, sink)
	}
	if set.Has(fromLinks) {
		g.tellAll(platform.Network, g.links, sink)
	}
	return nil
}

func (g *glance) Process(key platform.Key, set platform.SourceSet, sink platform.Sink) error {
	i := slices.IndexFunc(g.tasks, func(t *task) bool { return t.key == key })
	if i < 0 {
		return os.ErrProcessDone
	}
	g.tell(g.tasks[i], set, sink)
	return nil
}

// book notes what a look at counters tells: their growth, and all that a newcomer
// has counted. What was counted before the first pass is nobody's.
func (g *glance) book(counts []count, known bool) {
	for i := range counts {
		c := &counts[i]
		if known || g.passes > 1 {
			g.told[c.metric] += c.value - c.seen
		}
		c.seen = c.value
	}
}

func (g *glance) tell(t *task, set platform.SourceSet, sink platform.Sink) {
	g.sample.Reset(platform.Process, t.key)
	if set.Has(fromTasks) {
		g.sample.SetText(platform.ProcessCommand, t.name)
		g.sample.Set(platform.ProcessState, uint64(platform.StateSleeping))
		g.sample.Set(platform.ProcessMemoryRSS, t.key.ID*4096)
		g.set(t.counts[:5])
	}
	if set.Has(fromDetail) {
		g.set(t.counts[5:])
	}
	sink.Sample(&g.sample)
}

func (g *glance) tellAll(e platform.Entity, devices []*device, sink platform.Sink) {
	for _, d := range devices {
		if !slices.Contains(offTheBooks, d.name) {
			g.book(d.counts, d.known)
		}
		d.known = true
		g.sample.Reset(e, platform.Key{Name: d.name})
		g.set(d.counts)
		sink.Sample(&g.sample)
	}
}

// set shows counters as a kernel does, modulo their width.
func (g *glance) set(counts []count) {
	for _, c := range counts {
		v := c.value
		if c.bits > 0 {
			v %= 1 << c.bits
		}
		g.sample.Set(c.field, v*c.step)
	}
}
