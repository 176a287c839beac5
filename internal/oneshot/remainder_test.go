package oneshot

import (
	"context"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/pidometer/pidometer/platform"
)

// Every increment of a counter is added to exactly one series: in every pass, in
// integers, the growth of the remainder and of the processes selected in this
// pass and the one before is the growth of all that was observed.
func TestEveryIncrementIsCountedOnce(t *testing.T) {
	for seed := range uint64(200) {
		rng := rand.New(rand.NewPCG(seed, 1))
		k, c := newScript(), newClock()
		populate(k, rng, 30)
		p := newPass(k, c, Top, 4)
		books := ledger{newborn: map[platform.Key]bool{}}
		for pass := range 40 {
			p.Collect(context.Background(), func(p *Pass) { books.check(t, p, k, pass) })
			if t.Failed() {
				t.Fatalf("seed %d, pass %d", seed, pass)
			}
			live(k, rng)
			c.advance(15 * time.Second)
		}
	}
}

func populate(k *script, rng *rand.Rand, n int) {
	for i := range n {
		k.processes = append(k.processes, &process{id: uint64(i + 2), start: uint64(i), user: rng.Uint64N(1e12), rss: rng.Uint64N(1e9), reads: rng.Uint64N(1000)})
	}
}

// live lets the processes work, end, be born with used PIDs, and become unreadable.
func live(k *script, rng *rand.Rand) {
	for _, p := range k.processes {
		if rng.IntN(3) == 0 {
			p.user += rng.Uint64N(1e9)
			p.reads += rng.Uint64N(100)
			p.switches += rng.Uint64N(10)
		}
		p.rss = rng.Uint64N(1e9)
		p.unreadable = rng.IntN(5) == 0
	}
	k.now += 100
	k.processes = slices.DeleteFunc(k.processes, func(*process) bool { return rng.IntN(20) == 0 })
	taken := func(id uint64) bool {
		return slices.ContainsFunc(k.processes, func(p *process) bool { return p.id == id })
	}
	for range rng.IntN(4) {
		k.now += 100
		if id := 2 + rng.Uint64N(40); !taken(id) {
			k.processes = append(k.processes, &process{id: id, start: k.now, user: rng.Uint64N(1e8), reads: rng.Uint64N(50)})
		}
	}
}

// ledger is the slow twin of the bookkeeping, from the kernel's side.
type ledger struct {
	last     map[platform.Key]map[platform.Field]uint64 // last valid readings
	youngest uint64
	shown    map[platform.Key]map[platform.Field]uint64 // of the pass before
	other    map[platform.Field]uint64
	newborn  map[platform.Key]bool // for fields that become readable only later
}

var additive = []platform.Field{platform.ProcessCPUUser, platform.ProcessDiskReads}

func (l *ledger) check(t *testing.T, p *Pass, k *script, pass int) {
	t.Helper()
	shown, other := map[platform.Key]map[platform.Field]uint64{}, map[platform.Field]uint64{}
	for r := range p.Rows(platform.Process) {
		for _, f := range additive {
			v, ok := r.Value(f)
			switch {
			case p.IsOther(r):
				other[f] = v
			case ok || l.shown[r.Key] != nil:
				if shown[r.Key] == nil {
					shown[r.Key] = map[platform.Field]uint64{}
				}
				if !ok {
					v = l.shown[r.Key][f] // unreadable now: the series stands still
				}
				shown[r.Key][f] = v
			}
		}
	}
	grown := l.observe(k, pass)
	for _, f := range additive {
		sum := other[f] - l.other[f]
		for key, values := range shown {
			if before, ok := l.shown[key]; ok {
				if values[f] < before[f] {
					t.Errorf("%v of %v fell from %d to %d", f, key, before[f], values[f])
				}
				sum += values[f] - before[f]
			} else if values[f] != 0 {
				t.Errorf("%v of %v begins with %d", f, key, values[f])
			}
		}
		if sum != grown[f] {
			t.Errorf("%v: series grew by %d, the kernel by %d", f, sum, grown[f])
		}
	}
	l.shown, l.other = shown, other
}

// observe returns how much all processes grew since they were last readable.
func (l *ledger) observe(k *script, pass int) map[platform.Field]uint64 {
	grown, now := map[platform.Field]uint64{}, map[platform.Key]map[platform.Field]uint64{}
	youngest := uint64(0)
	for _, p := range k.processes {
		key := platform.Key{ID: p.id, Start: p.start}
		youngest = max(youngest, p.start)
		before, known := l.last[key]
		now[key] = map[platform.Field]uint64{}
		born := pass > 0 && !known && p.start >= l.youngest
		for f, v := range map[platform.Field]uint64{platform.ProcessCPUUser: p.user, platform.ProcessDiskReads: p.reads} {
			last, valid := before[f]
			if f == platform.ProcessDiskReads && p.unreadable {
				if valid {
					now[key][f] = last
				}
				continue
			}
			now[key][f] = v
			switch {
			case valid:
				grown[f] += v - last
			case born || l.newborn[key]:
				grown[f] += v
			}
		}
		if born {
			l.newborn[key] = true
		}
	}
	l.last, l.youngest = now, youngest
	return grown
}

func TestOtherLevelsAreSums(t *testing.T) {
	k, c := newScript(), newClock()
	for i := range uint64(10) {
		k.processes = append(k.processes, &process{id: i + 1, start: i, rss: 100 + i})
	}
	p := newPass(k, c, Top, 1)
	shown := collect(p, platform.ProcessMemoryRSS)
	var total uint64
	for _, v := range shown {
		total += v
	}
	if total != 1045 {
		t.Errorf("sizes add up to %d, want 1045: %v", total, shown)
	}
	if len(shown) != 3 {
		t.Errorf("%d series, want the largest, the busiest and the rest: %v", len(shown), shown)
	}
}

func TestLeavesAfterThreePasses(t *testing.T) {
	k, c := newScript(), newClock()
	a := &process{id: 10, start: 1, user: 5e9, rss: 1}
	b := &process{id: 11, start: 2, user: 1, rss: 1000}
	d := &process{id: 12, start: 3, user: 1, rss: 1}
	k.processes = []*process{b, a, d}
	p := newPass(k, c, Top, 1)
	for pass, want := range []bool{true, true, true, false, false} {
		_, in := collect(p, platform.ProcessCPUUser)[10]
		if in != want {
			t.Errorf("pass %d: selected %v, want %v", pass, in, want)
		}
		d.user += 1e9
		c.advance(15 * time.Second)
	}
}

// A process that left and comes back is a new series: it begins at 0, with the
// pass that selects it as its start.
func TestReturnIsANewSeries(t *testing.T) {
	k, c := newScript(), newClock()
	a, b := &process{id: 10, start: 1}, &process{id: 11, start: 2, rss: 1 << 30}
	k.processes = []*process{b, a, {id: 12, start: 3}}
	p := newPass(k, c, Top, 1)
	run := func(work uint64) (value uint64, start time.Time, in bool) {
		a.user += work
		c.advance(15 * time.Second)
		p.Collect(context.Background(), func(p *Pass) {
			for r := range p.Rows(platform.Process) {
				if r.Key.ID == 10 && !p.IsOther(r) {
					value, in = r.Value(platform.ProcessCPUUser)
					start = r.Start
				}
			}
		})
		return value, start, in
	}
	run(0)
	if v, start, in := run(1e9); !in || v != 1e9 && v != 0 || start.IsZero() {
		t.Fatalf("busy process shows %d %v %v", v, start, in)
	}
	in := true
	for range 4 {
		k.processes[2].user += 2e9
		_, _, in = run(0)
	}
	if in {
		t.Fatal("still there after its passes outside the top")
	}
	v, start, in := run(9e9)
	if !in || v != 0 || !start.Equal(c.now) {
		t.Errorf("the returned process shows %d from %v, %v; want 0 from %v", v, start, in, c.now)
	}
	if v, _, _ := run(2e9); v != 2e9 {
		t.Errorf("then %d, want 2e9", v)
	}
}

func TestAlwaysIsReportedInFull(t *testing.T) {
	k, c := newScript(), newClock()
	for i := range uint64(5) {
		k.processes = append(k.processes, &process{id: i + 1, start: i, user: 1000 + i, path: raw("/bin/x")})
	}
	k.processes[4].path = raw("/usr/bin/precious")
	p := New(Config{Backend: k, Want: wanted, Processes: Top, Limit: 1, Now: c.read,
		Always: func(name string) bool { return name == "precious" }})
	shown := collect(p, platform.ProcessCPUUser)
	if shown[5] != 1004 {
		t.Errorf("the process on the list shows %d, want its lifetime 1004", shown[5])
	}
	k.processes[4].user += 50
	c.advance(time.Second)
	shown = collect(p, platform.ProcessCPUUser)
	if shown[5] != 1054 || shown[0] != 0 {
		t.Errorf("then %d with a remainder of %d, want 1054 and 0", shown[5], shown[0])
	}
}

// User and system time of the dead come from one of the two sums: where records and
// parents part the time in another way, the remainder is no more than the larger one has
// in all, and neither half falls.
func TestTheDeadUseOneSum(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 1000 {
		var d dead
		var largest uint64
		for range 20 {
			d.byRecord.add(sums{random.Uint64N(1e9), random.Uint64N(1e9), random.Uint64N(9)})
			d.byParent.add(sums{random.Uint64N(1e9), random.Uint64N(1e9), random.Uint64N(9)})
			d.told.add(d.due())
			largest = max(d.byRecord[0]+d.byRecord[1], d.byParent[0]+d.byParent[1])
			if told := d.told[0] + d.told[1]; told != largest {
				t.Fatalf("told %d of %d: records %v, parents %v, told %v", told, largest, d.byRecord, d.byParent, d.told)
			}
			if want := max(d.byRecord[2], d.byParent[2]); d.told[2] != want {
				t.Fatalf("told %d faults of %d", d.told[2], want)
			}
		}
	}
}

// What can't have been is cut down, in the proportion of user and system time.
func TestTheDeadStayWithinTheHost(t *testing.T) {
	for _, c := range []struct {
		used, want sums
		most       uint64
	}{
		{used: sums{30, 10, 5}, most: 40, want: sums{30, 10, 5}},
		{used: sums{30, 10, 5}, most: 20, want: sums{15, 5, 5}},
		{used: sums{30, 10, 5}, most: 0, want: sums{0, 0, 5}},
		{used: sums{1 << 62, 1 << 62}, most: 1 << 61, want: sums{1 << 60, 1 << 60}},
	} {
		if got := c.used.within(c.most); got != c.want {
			t.Errorf("%v within %d: %v", c.used, c.most, got)
		}
	}
}

// A child of 60 s that is waited for behind the walk's look at its parent takes what others
// used with it. The pass that sees it at its parent tells all of that, though the host has
// done nothing since.
func TestTheDeadAreToldLater(t *testing.T) {
	const second = uint64(time.Second)
	var d dead
	host := uint64(0)
	told := func(busy uint64, c change) uint64 {
		most := d.bound(host+busy, sums{})
		used := d.settle(c).within(most)
		d.save(most, used)
		host += busy
		d.busy = host
		return used[0]
	}
	told(second, change{})
	if used := told(3*second, change{up: sums{3 * second}, down: sums{60 * second}}); used != 0 {
		t.Errorf("%d told of what is owed", used)
	}
	if used := told(1, change{up: sums{60 * second}}); used != 3*second {
		t.Errorf("%d told, 3 s used", used)
	}
	if used := told(second, change{up: sums{60 * second}}); used != second+slack {
		t.Errorf("%d told where the host used 1 s", used)
	}
}
