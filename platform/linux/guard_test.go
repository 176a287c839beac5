package linux

import (
	"context"
	"errors"
	"os"
	"runtime"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pidometer/pidometer/platform"
)

const deadTable = `1 0 8:1 / / rw - ext4 /dev/sda1 rw
2 0 0:41 / /nfs1 rw - nfs4 dead:/1 rw
3 0 0:42 / /nfs2 rw - nfs4 dead:/2 rw
4 0 8:2 / /data rw - xfs /dev/sda2 rw
`

// deadMounts is a tree with two mounts whose server is gone.
func deadMounts(t *testing.T) (*backend, *treeKernel) {
	b, k := mountTree(t, deadTable, Options{Budget: 3 * time.Second})
	k.block["/nfs1"], k.block["/nfs2"] = make(chan struct{}), make(chan struct{})
	return b, k
}

// answered returns the mount points whose space is known.
func (c *collector) answered() (points []string) {
	for _, g := range c.of(platform.Filesystem) {
		if len(g.fields) > 0 {
			points = append(points, g.key.Name)
		}
	}
	return points
}

func TestDeadMounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, k := deadMounts(t)
		for pass, cost := range []time.Duration{3 * time.Second, 0, 0} {
			start := time.Now()
			c := readTree(t, b, onMounts)
			if took := time.Since(start); took != cost {
				t.Errorf("pass %d took %v, want %v", pass, took, cost)
			}
			if got := c.answered(); !slices.Equal(got, []string{"/", "/data"}) {
				t.Errorf("pass %d: %q", pass, got)
			}
			if got := c.misses[fromMounts]; !slices.Equal(got, []platform.Reason{platform.Stuck, platform.Stuck}) {
				t.Errorf("pass %d: misses %v", pass, got)
			}
			if got := len(c.of(platform.Filesystem)); got != 4 {
				t.Errorf("pass %d: %d file systems are there, want 4", pass, got)
			}
		}
		if k.times("/nfs1") != 1 || k.times("/nfs2") != 1 {
			t.Errorf("asked %d and %d times", k.times("/nfs1"), k.times("/nfs2"))
		}
		synctest.Wait()
		if alive := b.hostState().guard.alive; alive != 2 {
			t.Errorf("%d goroutines wait, want 2", alive)
		}
		close(k.block["/nfs1"])
		synctest.Wait()
		if got := readTree(t, b, onMounts).answered(); !slices.Equal(got, []string{"/", "/nfs1", "/data"}) {
			t.Errorf("after the server came back: %q", got)
		}
		close(k.block["/nfs2"])
		synctest.Wait()
		if alive := b.hostState().guard.alive; alive != 0 {
			t.Errorf("%d goroutines are left", alive)
		}
	})
}

// A stuck file system takes neither the frequencies nor anything else with it.
func TestOneBudgetForAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, k := hostTree(t, Options{Budget: time.Second})
		const freq = "sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq"
		k.block["/srv"], k.block[freq] = make(chan struct{}), make(chan struct{})
		start := time.Now()
		c := readTree(t, b, everything)
		if took := time.Since(start); took != time.Second {
			t.Errorf("took %v", took)
		}
		if got := c.answered(); !slices.Equal(got, []string{"/", "/mnt 2"}) {
			t.Errorf("%q", got)
		}
		cpus := c.of(platform.CPU)
		if len(cpus) != 2 || cpus[0].fields[platform.CPUFrequency] != 0 || cpus[1].fields[platform.CPUFrequency] != 2_400_000_000 {
			t.Errorf("%v", cpus)
		}
		if len(c.misses[fromCPUFreq]) != 1 || len(c.misses[fromCPULimits]) != 1 || len(c.misses[fromMounts]) != 1 || len(c.misses) != 3 {
			t.Errorf("misses: %v", c.misses)
		}
		close(k.block["/srv"])
		close(k.block[freq])
	})
}

func TestGuardEndsWithContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, k := deadMounts(t)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		c := &collector{}
		err := (&reader{b, ctx}).readHost(onMounts, 0, c)
		if took := time.Since(start); took != time.Second || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("took %v: %v", took, err)
		}
		close(k.block["/nfs1"])
		close(k.block["/nfs2"])
	})
}

// What is mounted in the place of a dead file system is asked on its own.
func TestDeadMountReplaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, k := deadMounts(t)
		readTree(t, b, onMounts)
		dead := k.block["/nfs1"]
		delete(k.block, "/nfs1")
		replace(t, k, "proc/self/mountinfo", "9 0 0:77 / /nfs1 rw - nfs4 alive:/1 rw\n")
		if got := readTree(t, b, onMounts).answered(); !slices.Equal(got, []string{"/nfs1"}) {
			t.Errorf("%q", got)
		}
		close(dead)
		close(k.block["/nfs2"])
	})
}

// A mount point below an automount is two lines of the table in every pass. Its
// dead file system is asked once all the same.
func TestDeadAutomount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const table = "1 0 0:8 / /net rw - autofs systemd-1 rw\n2 0 0:9 / /net rw - nfs4 dead:/x rw\n"
		b, k := mountTree(t, table, Options{})
		k.block["/net"] = make(chan struct{})
		for range 3 {
			readTree(t, b, onMounts)
		}
		if k.times("/net") != 1 {
			t.Errorf("asked %d times", k.times("/net"))
		}
		close(k.block["/net"])
	})
}

func TestGuardCrowd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGuard(time.Second)
		block := make(chan struct{})
		dead := make([]question, crowd+10)
		for i := range dead {
			dead[i].ask = func() error { <-block; return nil }
			g.ask(&dead[i])
		}
		g.start()
		g.wait(t.Context())
		synctest.Wait()
		if g.alive != crowd {
			t.Errorf("%d goroutines, want %d", g.alive, crowd)
		}
		for i := range dead {
			if err := dead[i].answer(); !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Fatalf("question %d: %v", i, err)
			}
		}
		close(block)
		synctest.Wait()
		if g.alive != 0 {
			t.Errorf("%d goroutines are left", g.alive)
		}
	})
}

// A question that is answered late was not answered in its round, and is asked
// anew in the next.
func TestGuardLateAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGuard(time.Second)
		var asked atomic.Int32
		late := make(chan struct{})
		q := question{ask: func() error {
			if asked.Add(1) == 1 {
				<-late
			}
			return nil
		}}
		round := func() error {
			g.ask(&q)
			g.start()
			g.wait(t.Context())
			return q.answer()
		}
		if err := round(); err == nil {
			t.Error("answered at once")
		}
		if err := round(); err == nil || asked.Load() != 1 {
			t.Errorf("asked %d times while the first asker waits", asked.Load())
		}
		close(late)
		synctest.Wait()
		if q.answered {
			t.Error("a late answer was taken")
		}
		if err := round(); err != nil || asked.Load() != 2 {
			t.Errorf("after the late answer: %v, asked %d times", err, asked.Load())
		}
	})
}

func TestGuardWithoutQuestions(t *testing.T) {
	g := newGuard(time.Hour)
	g.start()
	g.wait(t.Context())
	g.wait(t.Context())
}

// Many rounds over healthy questions leave nothing behind.
func TestGuardRounds(t *testing.T) {
	g := newGuard(time.Minute)
	questions := make([]question, 8)
	for i := range questions {
		questions[i].ask = func() error { runtime.Gosched(); return nil }
	}
	for range 2000 {
		for i := range questions {
			g.ask(&questions[i])
		}
		g.start()
		g.wait(t.Context())
		for i := range questions {
			if err := questions[i].answer(); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// As long as the kernel answers it is asked one thing at a time.
func TestGuardAsksOneByOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGuard(16 * time.Second)
		var now, most atomic.Int32
		questions := make([]question, 20)
		for i := range questions {
			questions[i].ask = func() error {
				most.Store(max(most.Load(), now.Add(1)))
				time.Sleep(10 * time.Millisecond)
				now.Add(-1)
				return nil
			}
			g.ask(&questions[i])
		}
		g.start()
		g.wait(t.Context())
		if most.Load() != 1 {
			t.Errorf("%d questions at a time", most.Load())
		}
	})
}

// The healthy are answered however many dead ones stand before them.
func TestGuardAsksAroundTheDead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGuard(time.Second)
		block := make(chan struct{})
		healthy := question{ask: func() error { return nil }}
		dead := make([]question, 200)
		g.ask(&healthy) // asked last
		for i := range dead {
			dead[i].ask = func() error { <-block; return nil }
			g.ask(&dead[i])
		}
		start := time.Now()
		g.start()
		g.wait(t.Context())
		if took := time.Since(start); took != time.Second || healthy.answer() != nil {
			t.Errorf("took %v, healthy: %v", took, healthy.answer())
		}
		close(block)
	})
}
