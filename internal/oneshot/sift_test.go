package oneshot

import (
	"fmt"
	"testing"
	"time"

	"github.com/pidometer/pidometer/internal/filter"
	"github.com/pidometer/pidometer/platform"
)

func filtered(t *testing.T, k *script, c *clock, processes Processes, conditions ...string) *Pass {
	t.Helper()
	parsed, err := filter.ParseAll(conditions)
	if err != nil {
		t.Fatal(err)
	}
	return New(Config{Backend: k, Want: wanted, Processes: processes, Limit: 1, Now: c.read, Filter: parsed})
}

func thousand() *script {
	k := newScript()
	for i := range uint64(1000) {
		k.processes = append(k.processes, &process{id: i + 1, start: i, user: 1000 + i, rss: i, reads: 5, switches: 7,
			command: raw(fmt.Sprint("p", i)), path: raw(fmt.Sprint("/bin/p", i))})
	}
	return k
}

// A filter on the name that fits one of 1,000 costs one read for each of the
// others, which is the walk's own, and a second one for that one.
func TestNameFilterReadsOneFurther(t *testing.T) {
	for _, processes := range []Processes{All, Top} {
		k, c := thousand(), newClock()
		p := filtered(t, k, c, processes, "name=p123")
		shown := collect(p, platform.ProcessDiskReads)
		delete(shown, 0)
		if len(shown) != 1 {
			t.Fatalf("choice %d: shown %v, want process 124", processes, shown)
		}
		if _, ok := shown[124]; !ok {
			t.Errorf("choice %d: shown %v, want process 124", processes, shown)
		}
		reads := 1
		if processes == Top {
			reads = 2 // the selected one's dear sources too
		}
		if k.calls != reads {
			t.Errorf("choice %d: %d processes read further, want %d", processes, k.calls, reads)
		}
		if k.io != 1 {
			t.Errorf("choice %d: io read of %d processes, want 1", processes, k.io)
		}
		if n := len(p.tables[platform.Process].rows); n != 1 {
			t.Errorf("choice %d: %d rows kept", processes, n)
		}
	}
}

func TestDearConditions(t *testing.T) {
	k, c := thousand(), newClock()
	p := filtered(t, k, c, All, "executable=p7|p8", "name=p7")
	if shown := collect(p, platform.ProcessCPUUser); len(shown) != 1 || shown[8] != 1007 {
		t.Errorf("shown %v, want process 8", shown)
	}
	if k.calls != 1 {
		t.Errorf("%d processes read further, want the one that the name leaves", k.calls)
	}
	k.processes[7].path = raw("/bin/other")
	c.advance(time.Second)
	if shown := collect(p, platform.ProcessCPUUser); len(shown) != 0 {
		t.Errorf("after exec %v is still shown", shown)
	}
}

// The remainder stands for what the filter lets through, and no more.
func TestRemainderOfAFilter(t *testing.T) {
	k, c := thousand(), newClock()
	p := filtered(t, k, c, Top, "name=p1|p2|p3")
	collect(p, platform.ProcessCPUUser)
	for _, q := range k.processes {
		q.user += 100
	}
	c.advance(time.Second)
	var sum uint64
	for _, v := range collect(p, platform.ProcessCPUUser) {
		sum += v
	}
	if sum != 300 {
		t.Errorf("three processes grew by 100 each, the series by %d", sum)
	}
}

func TestTree(t *testing.T) {
	k, c := newScript(), newClock()
	for id, parent := range map[uint64]uint64{1: 0, 2: 1, 3: 2, 4: 3, 5: 1, 6: 7, 7: 6} { // 6 and 7 are each other's parent
		k.processes = append(k.processes, &process{id: id, start: id, parent: parent, user: id})
	}
	for condition, want := range map[string][]uint64{"tree=2": {2, 3, 4}, "tree=4": {4}, "tree!=2": {1, 5, 6, 7}, "tree=99": nil} {
		shown := collect(filtered(t, k, c, All, condition), platform.ProcessCPUUser)
		if len(shown) != len(want) {
			t.Errorf("%s shows %v, want %v", condition, shown, want)
		}
		for _, id := range want {
			if shown[id] != id {
				t.Errorf("%s shows %v, want %v", condition, shown, want)
			}
		}
	}
}
