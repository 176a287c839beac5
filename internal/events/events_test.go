package events

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pidometer/pidometer/platform"
)

// Where the kernel tells nothing, the difference of two passes tells what it can.
func TestPassesTell(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newKernel()
		k.run(1, "init")
		b := begin(t, k, nil)
		b.pass(t, 0)
		if have := b.listener.told(); !slices.Equal(have, []string{"entity.state"}) {
			t.Errorf("the first pass tells %v", have)
		}
		time.Sleep(5 * time.Second)
		key := k.run(7, "seven")
		b.pass(t, 5*time.Second)
		all := b.take()
		if len(all) != 2 || all[0].name != "process.start" || !all[0].at.Equal(k.boot.Created(key.Start)) || all[0].attrs["process.executable.name"] != "seven" {
			t.Errorf("%v", all)
		}
		delete(k.processes, 7)
		b.pass(t, 5*time.Second)
		all = b.take()
		if len(all) != 2 || all[0].name != "entity.delete" || all[1].name != "process.exit" || all[1].severity != 9 || !all[1].at.Equal(time.Now()) {
			t.Errorf("%v", all)
		}
		if _, ok := all[1].attrs["process.exit.code"]; ok {
			t.Errorf("nobody told a code: %v", all[1])
		}
	})
}

// What the kernel tells, no pass tells again: a process that lives between two
// passes, one that outlives a pass, and a zombie.
func TestKernelTells(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newKernel()
		k.tiers = everything
		b := begin(t, k, nil)
		b.pass(t, time.Second)
		b.take()

		short := platform.Key{ID: 10, Start: k.now()}
		k.tell(platform.Occurrence{Kind: platform.ProcessStarted, Key: short, Parent: 1, Command: []byte("sh")},
			platform.Occurrence{Kind: platform.ProcessExecuted, Key: short, Command: []byte("true")},
			platform.Occurrence{Kind: platform.ProcessExited, Key: short, Exit: platform.Exit{Known: true, Code: 3}})
		time.Sleep(time.Second)
		all := b.take()
		if len(all) != 2 || all[0].name != "process.start" || all[1].name != "process.exit" {
			t.Fatalf("%v", all)
		}
		if a := all[1].attrs; a["process.exit.code"] != int64(3) || a["error.type"] != "3" || a["process.executable.name"] != "true" ||
			a["process.parent_pid"] != int64(1) || all[1].severity != 13 {
			t.Errorf("%v", all[1])
		}
		long := k.run(11, "long")
		k.tell(platform.Occurrence{Kind: platform.ProcessStarted, Key: platform.Key{ID: 11, Start: long.Start + 1}, Estimated: true})
		b.pass(t, time.Second) // the pass knows the exact start
		if have := b.listener.told(); !slices.Equal(have, []string{"entity.state", "process.start"}) {
			t.Errorf("%v", have)
		}
		k.tell(platform.Occurrence{Kind: platform.ProcessExited, Key: platform.Key{ID: 11}, Exit: platform.Exit{Known: true, Signal: 11, Core: true}})
		b.pass(t, time.Second) // a zombie
		b.pass(t, time.Second)
		delete(k.processes, 11)
		b.pass(t, time.Second)
		all = b.take()
		if len(all) != 2 || all[0].name != "entity.delete" || all[1].attrs["process.exit.signal"] != "SIGSEGV" || all[1].attrs["process.exit.core_dumped"] != true {
			t.Errorf("%v", all)
		}
		if n := len(b.lives); n != 0 {
			t.Errorf("%d lives are kept", n)
		}
	})
}

// The kernel tells of an end when the process may be gone for a moment: it is told
// once, with what the kernel says. Where that record is lost, the next pass tells.
func TestLateEnd(t *testing.T) {
	for _, lost := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			k := newKernel()
			k.tiers = everything
			key := k.run(9, "nine")
			b := begin(t, k, nil)
			b.pass(t, time.Second)
			b.take()
			delete(k.processes, 9)
			b.pass(t, time.Second)
			if all := b.take(); len(all) != 0 {
				t.Errorf("%v", all)
			}
			want := any(int64(4))
			if lost {
				want = nil
			} else {
				k.tell(platform.Occurrence{Kind: platform.ProcessExited, Key: key, Exit: platform.Exit{Known: true, Code: 4}})
			}
			b.pass(t, time.Second)
			b.pass(t, time.Second)
			all := b.take()
			if len(all) != 2 || all[1].name != "process.exit" || all[1].attrs["process.exit.code"] != want {
				t.Errorf("%v", all)
			}
		})
	}
}

// A PID that is reused within one interval has two lives, and no event of one carries
// the other's identity.
func TestReusedPID(t *testing.T) {
	for _, heard := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			k := newKernel()
			if heard {
				k.tiers = everything
			}
			b := begin(t, k, nil)
			b.pass(t, time.Second)
			time.Sleep(time.Second)
			first := k.run(5, "first")
			k.tell(platform.Occurrence{Kind: platform.ProcessStarted, Key: first, Command: []byte("first")})
			b.pass(t, time.Second)
			k.tell(platform.Occurrence{Kind: platform.ProcessExited, Key: first, Exit: platform.Exit{Known: true, Code: 1}})
			time.Sleep(time.Second)
			second := k.run(5, "second")
			k.tell(platform.Occurrence{Kind: platform.ProcessStarted, Key: second, Command: []byte("second")})
			b.pass(t, time.Second)
			born := map[string]string{}
			counts := map[string]int{}
			for _, e := range b.take() {
				counts[e.name]++
				if name, ok := e.attrs["process.executable.name"].(string); ok {
					born[name] = e.attrs["process.creation.time"].(string)
				}
			}
			if counts["process.start"] != 2 || counts["process.exit"] != 1 || counts["entity.delete"] != 1 || counts["entity.state"] != 2 {
				t.Errorf("%v", counts)
			}
			if want := k.boot.Created(first.Start).UTC().Format("2006-01-02T15:04:05.000Z"); born["first"] != want || born["second"] == want {
				t.Errorf("%v, want %s for the first", born, want)
			}
		})
	}
}

// What a fork bomb costs is bounded, and what was not sent is counted and told.
func TestLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newKernel()
		k.tiers = everything
		b := begin(t, k, nil)
		b.pass(t, time.Second)
		const forks = 2500
		for pid := range uint64(forks) {
			key := platform.Key{ID: 100 + pid, Start: k.now()}
			k.tell(platform.Occurrence{Kind: platform.ProcessStarted, Key: key}, platform.Occurrence{Kind: platform.ProcessExited, Key: key})
		}
		time.Sleep(30 * time.Second)
		k.tell(platform.Occurrence{Kind: platform.PressureCrossed})
		time.Sleep(time.Second)
		counts, limited := map[string]int64{}, map[string]int64{}
		for _, e := range b.take() {
			counts[e.name]++
			if e.name == "pidometer.event.limited" {
				limited[e.attrs["pidometer.event.name"].(string)] += e.attrs["pidometer.event.count"].(int64)
			}
		}
		for _, name := range []string{"process.start", "process.exit"} {
			if counts[name] != perSecond || counts[name]+limited[name] != forks || b.Stats().Limited[name] != uint64(limited[name]) {
				t.Errorf("%s: %d sent, %d told as limited, %v", name, counts[name], limited[name], b.Stats().Limited)
			}
		}
	})
}

// Ten thousand processes are reported at most a thousand times in a minute, and each
// of them within the interval that its report says.
func TestStatesAreSpread(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newKernel()
		const processes = 10_000
		for pid := range uint64(processes) {
			k.run(pid+1, "p")
		}
		b := begin(t, k, func(c *Config) { c.All = false })
		last := map[any]time.Time{}
		minute := []int{}
		for range 60 * 4 {
			sent := 0
			b.pass(t, 15*time.Second)
			for _, e := range b.take() {
				sent++
				id, promised := e.attrs["entity.id"], time.Duration(e.attrs["entity.report.interval"].(int64))*time.Second
				if before, ok := last[id]; ok && e.at.Sub(before) > promised {
					t.Fatalf("%v after %v, promised %v", id, e.at.Sub(before), promised)
				}
				last[id] = e.at
			}
			if minute = append(minute, sent); len(minute) >= 4 {
				if sum := minute[len(minute)-1] + minute[len(minute)-2] + minute[len(minute)-3] + minute[len(minute)-4]; sum > statesPerMinute {
					t.Fatalf("%d in a minute", sum)
				}
			}
		}
		if len(last) != processes {
			t.Errorf("%d of %d processes were reported", len(last), processes)
		}
	})
}

// A few are reported at once, and later not all at the same time.
func TestFewStates(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newKernel()
		for pid := range uint64(100) {
			k.run(pid+1, "p")
		}
		b := begin(t, k, func(c *Config) { c.All = false })
		b.pass(t, time.Second)
		if n := len(b.take()); n != 100 {
			t.Errorf("%d at first", n)
		}
		most, sum := 0, 0
		for range 40 {
			b.pass(t, 15*time.Second)
			n := len(b.take())
			most, sum = max(most, n), sum+n
		}
		if most > 50 || sum < 100 {
			t.Errorf("%d in ten minutes, %d in one pass", sum, most)
		}
	})
}

// A clock that is set is told, one that sleeps is not; a boot is told once.
func TestClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newKernel()
		k.uptime = time.Minute
		b := begin(t, k, nil)
		b.pass(t, time.Second)
		all := b.take()
		if len(all) != 1 || all[0].name != "system.boot" || !all[0].at.Equal(time.Now().Add(-time.Minute-time.Second)) || all[0].attrs["system.boot.id"] != "boot-1" {
			t.Errorf("%v", all)
		}
		b.pass(t, time.Second)
		k.uptime += 90 * time.Minute // the uptime went on, the clock did not: set back
		b.pass(t, time.Second)
		all = b.take()
		if len(all) != 1 || all[0].name != "system.clock.step" || all[0].attrs["system.clock.step"] != -5400.0 {
			t.Errorf("%v", all)
		}
	})
}

// A pass that takes its time reads the uptime late, which is no step.
func TestSlowPassIsNoStep(t *testing.T) {
	var c clock
	at := time.Unix(1e9, 0)
	for i, late := range []time.Duration{0, 3 * time.Second, 0, 10 * time.Second, 0} {
		now := at.Add(time.Duration(i) * time.Minute)
		if step := c.step(now, time.Hour+time.Duration(i)*time.Minute+late, late); step != 0 {
			t.Errorf("pass %d: %v", i, step)
		}
	}
	if step := c.step(at.Add(time.Hour), time.Hour+5*time.Minute, 0); step != 55*time.Minute {
		t.Errorf("%v", step)
	}
}

// Each of the other occurrences has its record.
func TestRecords(t *testing.T) {
	var usage platform.Sample
	usage.Reset(platform.Process, platform.Key{ID: 5})
	usage.Set(platform.ProcessMemoryRSS, 4096)
	for _, c := range []struct {
		goos string
		o    platform.Occurrence
		name string
		sev  int
		want map[string]any
	}{
		{"linux", platform.Occurrence{Kind: platform.ProcessOOMKilled, Key: platform.Key{ID: 5}, Command: []byte("hog\xff"), Cgroup: []byte("/c"), Usage: &usage},
			"process.oom_kill", 17, map[string]any{"process.pid": int64(5), "process.executable.name": `hog\xff`, "error.type": "oom",
				"process.linux.cgroup": "/c", "process.memory.usage": int64(4096)}},
		{"linux", platform.Occurrence{Kind: platform.ProcessOOMKilled, Count: 2}, "process.oom_kill", 17,
			map[string]any{"error.type": "oom", "system.memory.linux.oom_kills": int64(2)}},
		{"windows", platform.Occurrence{Kind: platform.ServiceChanged, Key: platform.Key{Name: "Dhcp", ID: 9}, State: []byte("running"), Before: []byte("start_pending"), Title: []byte("DHCP")},
			"windows.service.state_change", 9, map[string]any{"windows.service.name": "Dhcp", "windows.service.state": "running",
				"windows.service.state.previous": "start_pending", "windows.service.display_name": "DHCP", "process.pid": int64(9)}},
		{"windows", platform.Occurrence{Kind: platform.ServiceChanged, Key: platform.Key{Name: "Dhcp"}, State: []byte("stopped"), Exit: platform.Exit{Known: true, Code: 1067}},
			"windows.service.state_change", 17, map[string]any{"windows.service.name": "Dhcp", "windows.service.state": "stopped",
				"process.exit.code": int64(1067), "error.type": "1067"}},
		{"linux", platform.Occurrence{Kind: platform.ServiceChanged, Key: platform.Key{Name: "ssh.service"}, State: []byte("failed"), Before: []byte("active")},
			"systemd.unit.state_change", 17, map[string]any{"systemd.unit.name": "ssh.service", "systemd.unit.active_state": "failed",
				"systemd.unit.active_state.previous": "active", "error.type": "failed"}},
		{"linux", platform.Occurrence{Kind: platform.PressureCrossed, Stall: platform.Stall{Resource: "io", Full: true, Waited: 150 * time.Millisecond, Window: 2 * time.Second}},
			"system.linux.pressure", 13, map[string]any{"system.pressure.linux.resource": "io", "system.pressure.linux.type": "full",
				"system.pressure.linux.threshold": 0.15, "system.pressure.linux.window": 2.0}},
	} {
		synctest.Test(t, func(t *testing.T) {
			k := newKernel()
			k.tiers = everything
			b := begin(t, k, func(cfg *Config) { cfg.GOOS = c.goos })
			k.tell(c.o)
			time.Sleep(time.Second)
			all := b.take()
			if len(all) != 1 || all[0].name != c.name || all[0].severity != c.sev || len(all[0].attrs) != len(c.want) {
				t.Fatalf("%v, want %s %v", all, c.name, c.want)
			}
			for key, want := range c.want {
				if have := all[0].attrs[key]; have != want {
					t.Errorf("%s: %v, want %v", key, have, want)
				}
			}
		})
	}
}

// Exit records wait for the pass, once; lost ones are counted.
func TestEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newKernel()
		k.tiers = everything
		b := begin(t, k, nil)
		var usage platform.Sample
		usage.Reset(platform.Process, platform.Key{ID: 5, Start: 7})
		usage.Set(platform.ProcessCPUUser, 50e6)
		ended := func() (n int) {
			b.Ended(func(s *platform.Sample) {
				if v, ok := s.Get(platform.ProcessCPUUser); !ok || v != 50e6 || s.Key.Start != 7 {
					t.Errorf("%v %v %v", s.Key, v, ok)
				}
				n++
			})
			return n
		}
		k.tell(platform.Occurrence{Kind: platform.ProcessAccounted, Key: usage.Key, Usage: &usage},
			platform.Occurrence{Kind: platform.OccurrencesLost, Count: 3})
		if n := ended(); n != 1 {
			t.Errorf("%d records", n)
		}
		if n := ended(); n != 0 || b.Stats().Overruns != 3 {
			t.Errorf("%d records, %d overruns", n, b.Stats().Overruns)
		}
	})
}

// A LoggerProvider that takes its time costs a pass a bounded wait; one that panics
// costs the event.
func TestSlowProvider(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newKernel()
		k.run(1, "init")
		b := begin(t, k, nil)
		slow := make(chan struct{})
		b.slow = slow
		before := time.Now()
		b.pass(t, 0)
		if took := time.Since(before); took != patience {
			t.Errorf("the pass took %v", took)
		}
		close(slow)
		time.Sleep(time.Second)
		if have := b.listener.told(); len(have) != 1 {
			t.Errorf("%v", have)
		}
	})
}

// Processes are followed one by one where that alone tells of their ends.
func TestFollow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newKernel()
		k.tiers = []platform.Tier{{Source: platform.OccurrenceSource{Name: "pidfd", Tells: platform.KindsOf(platform.ProcessExited), Followed: true}}}
		for pid := range uint64(300) {
			k.run(pid+1, "p")
		}
		b := begin(t, k, nil)
		b.pass(t, time.Second)
		if len(k.follows) != mostFollowed {
			t.Fatalf("%d are followed", len(k.follows))
		}
		b.take()
		gone := k.follows[0]
		delete(k.processes, gone.ID)
		k.tell(platform.Occurrence{Kind: platform.ProcessExited, Key: gone, Exit: platform.Exit{Known: true, Signal: 9}})
		b.pass(t, time.Second)
		var exits []told
		for _, e := range b.take() {
			if e.name == "process.exit" {
				exits = append(exits, e)
			}
		}
		if len(exits) != 1 || exits[0].attrs["process.exit.signal"] != "SIGKILL" || len(k.follows) != mostFollowed-1 {
			t.Errorf("%v, %d are followed", exits, len(k.follows))
		}
	})
}

// What is refused is told, and the passes go on.
func TestRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newKernel()
		k.silent = true
		k.run(1, "init")
		b := begin(t, k, nil)
		b.pass(t, time.Second)
		if tiers := b.Tiers(); len(tiers) != 1 || !strings.Contains(tiers[0].Err.Error(), "permission") {
			t.Errorf("%v", tiers)
		}
		if have := b.listener.told(); len(have) != 1 {
			t.Errorf("%v", have)
		}
	})
}
