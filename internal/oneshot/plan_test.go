package oneshot_test

import (
	"math/bits"
	"math/rand/v2"
	"testing"

	"github.com/pidometer/pidometer/internal/oneshot"
	"github.com/pidometer/pidometer/platform"
	"github.com/pidometer/pidometer/platform/native"
	"github.com/pidometer/pidometer/semconv"
)

// fewest finds by trying every set of process sources how many give all fields,
// each exactly where any source does, and prove which process they read.
func fewest(sources []platform.Source, want platform.FieldSet) int {
	var process []int
	for i := range sources {
		if sources[i].Entity == platform.Process {
			process = append(process, i)
		}
	}
	one := demands(sources, process, want)
	best := len(process) + 1
	for subset := range uint(1) << len(process) {
		if n := bits.OnesCount(subset); n < best && meets(subset, one) {
			best = n
		}
	}
	return best
}

// demands are sets of process sources, by their place, of which one each is needed:
// those that prove the process, and for each field those that tell it.
func demands(sources []platform.Source, process []int, want platform.FieldSet) []uint {
	one := make([]uint, 1)
	for n, i := range process {
		if sources[i].Clock {
			one[0] |= 1 << n
		}
	}
	for f := range want.All() {
		var tellers uint
		for n, i := range process {
			if told(sources, platform.SourceSet(0).With(i), f) {
				tellers |= 1 << n
			}
		}
		one = append(one, tellers)
	}
	return one
}

func meets(subset uint, one []uint) bool {
	for _, set := range one {
		if subset&set == 0 {
			return false
		}
	}
	return true
}

func told(sources []platform.Source, set platform.SourceSet, f platform.Field) bool {
	exactly, somewhere := false, false
	for i := range sources {
		for _, g := range sources[i].Gives {
			if g.Field == f {
				somewhere = somewhere || !g.Approximate
				exactly = exactly || set.Has(i) && !g.Approximate
			}
		}
	}
	return exactly || !somewhere
}

// processFields are the fields of processes that a set of metrics shows.
func processFields(metrics ...semconv.Metric) (fields platform.FieldSet) {
	for _, m := range metrics {
		for _, p := range m.Points {
			if p.Field.Info().Entity == platform.Process {
				fields.Add(p.Field)
			}
		}
		if m.Ratio != 0 && m.Ratio.Info().Entity == platform.Process {
			fields.Add(m.Ratio)
		}
	}
	return fields
}

// For each metric alone and for 200 random sets the plan reads the fewest sources
// of a process that there are.
func TestPlanIsTheSmallest(t *testing.T) {
	for _, goos := range []string{"linux", "windows"} {
		t.Run(goos, func(t *testing.T) { testPlanIsTheSmallest(t, native.Sources(goos)) })
	}
}

func testPlanIsTheSmallest(t *testing.T, sources []platform.Source) {
	check := func(what string, fields platform.FieldSet) {
		t.Helper()
		plan := oneshot.NewPlan(sources, platform.Want{Fields: fields}, oneshot.All)
		if got, want := plan.First.Len(), fewest(sources, fields); got != want {
			t.Errorf("%s: %d sources, %d are enough", what, got, want)
		}
		if plan.Second != 0 || !plan.Missing.Fields.Empty() {
			t.Errorf("%s: second stage %b, missing %v", what, plan.Second, plan.Missing.Fields)
		}
	}
	var process []semconv.Metric
	for _, m := range semconv.Metrics() {
		// What this system does not tell is another system's.
		if _, missing := platform.Choose(sources, platform.Want{Fields: processFields(m)}); m.Entity == platform.Process && missing.Fields.Empty() {
			process = append(process, m)
			check(m.Name, processFields(m))
		}
	}
	rng := rand.New(rand.NewPCG(1, 1))
	for range 200 {
		rng.Shuffle(len(process), func(i, j int) { process[i], process[j] = process[j], process[i] })
		check("a random set", processFields(process[:1+rng.IntN(len(process))]...))
	}
}

// CPU time needs stat alone, which is one file.
func TestCPUTimeIsOneFile(t *testing.T) {
	sources := native.Sources("linux")
	plan := oneshot.NewPlan(sources, platform.Want{Fields: platform.Fields(platform.ProcessCPUUser, platform.ProcessCPUSystem)}, oneshot.All)
	files := 0
	for i := range plan.First.All() {
		files += sources[i].Files
	}
	if files != 1 {
		t.Errorf("%d files", files)
	}
}

// Every source is in at most one stage, a dear one never in the first unless
// everybody is selected, and nothing is read for what nobody wants.
func TestStages(t *testing.T) {
	sources := native.Sources("linux")
	want := platform.Want{Fields: platform.Fields(platform.ProcessCPUUser, platform.ProcessSwitchesVoluntary, platform.HostUptime)}
	for _, processes := range []oneshot.Processes{oneshot.None, oneshot.Self, oneshot.Top, oneshot.All} {
		plan := oneshot.NewPlan(sources, want, processes)
		if plan.First&plan.Second != 0 {
			t.Errorf("choice %d: in both stages: %b", processes, plan.First&plan.Second)
		}
		for i := range plan.First.All() {
			if sources[i].Dear && processes != oneshot.All {
				t.Errorf("choice %d: %s in the first stage", processes, sources[i].Name)
			}
		}
	}
	if plan := oneshot.NewPlan(sources, platform.Want{}, oneshot.None); plan.First|plan.Second != 0 {
		t.Errorf("for nothing it reads %b", plan.First|plan.Second)
	}
}
