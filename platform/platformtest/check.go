package platformtest

import (
	"errors"
	"fmt"
	"os"
	"reflect"
	"time"

	"github.com/pidometer/pidometer/platform"
)

// faults collects what a case found.
type faults []error

func (f *faults) add(format string, args ...any) {
	const enough = 10
	if len(*f) < enough {
		*f = append(*f, fmt.Errorf(format, args...))
	}
}

func (f *faults) err() error { return errors.Join(*f...) }

func checkSources(b platform.Backend) error {
	var f faults
	sources := b.Sources()
	if len(sources) == 0 || len(sources) > 64 {
		f.add("%d sources", len(sources))
	}
	if !reflect.DeepEqual(sources, b.Sources()) {
		f.add("the sources changed")
	}
	names := map[string]bool{}
	for _, s := range sources {
		if s.Name == "" || names[s.Name] {
			f.add("a source has the name %q, or another has it", s.Name)
		}
		names[s.Name] = true
		checkGives(&f, s)
	}
	return f.err()
}

func checkGives(f *faults, s platform.Source) {
	if len(s.Gives)+len(s.Texts) == 0 {
		f.add("%s gives nothing", s.Name)
	}
	var fields platform.FieldSet
	for _, g := range s.Gives {
		if fields.Has(g.Field) {
			f.add("%s gives %v twice", s.Name, g.Field)
		}
		if g.Bits > 64 {
			f.add("%s gives %v with %d bits", s.Name, g.Field, g.Bits)
		}
		fields.Add(g.Field)
	}
}

func checkClock(b platform.Backend) error {
	var f faults
	boot := b.Boot()
	if boot != b.Boot() {
		f.add("the boot changed")
	}
	if boot.Time.Nanosecond() != 0 || boot.Time.After(time.Now()) {
		f.add("the kernel started at %v", boot.Time)
	}
	if processSources(b) == 0 {
		return f.err()
	}
	if clocks(b) == 0 || clocks(b)&^processSources(b) != 0 {
		f.add("the clocks are %b of %b", clocks(b), processSources(b))
	}
	if boot.Tick <= 0 {
		f.add("a tick is %v", boot.Tick)
	}
	all, err := readAll(b, clocks(b))
	for key := range all.of(platform.Process) {
		if boot.Created(key.Start).After(time.Now().Add(2 * time.Second)) {
			f.add("%d was created at %v", key.ID, boot.Created(key.Start))
		}
	}
	return errors.Join(err, f.err())
}

func checkChoice(b platform.Backend) error {
	var f faults
	all := declared(b, everything(b))
	for field := range all.Fields.All() {
		set, missing := platform.Choose(b.Sources(), platform.Want{Fields: platform.Fields(field)})
		given := declared(b, set).Fields
		if !missing.Fields.Empty() || !given.Has(field) {
			f.add("%v: %b", field, set)
		}
	}
	for text := range platform.Text(platform.TextCount) {
		set, _ := platform.Choose(b.Sources(), platform.Want{Texts: platform.Texts(text)})
		if all.Texts.Has(text) != declared(b, set).Texts.Has(text) {
			f.add("%v: %b", text, set)
		}
	}
	return f.err()
}

func checkDeclared(b platform.Backend) error {
	var f faults
	for i, source := range b.Sources() {
		set := platform.SourceSet(0).With(i)
		r, err := readAll(b, set)
		if err != nil {
			return fmt.Errorf("%s: %w", source.Name, err)
		}
		want := declared(b, set)
		for id, s := range r.samples {
			checkWanted(&f, source.Name, id, s, want)
		}
	}
	return f.err()
}

func checkWanted(f *faults, source string, id identity, s sample, want platform.Want) {
	for field := range s.fields {
		if !want.Fields.Has(field) {
			f.add("%s set %v of %v", source, field, id)
		}
	}
	for text := range s.texts {
		if !want.Texts.Has(text) {
			f.add("%s set %v of %v", source, text, id)
		}
	}
}

func checkEntity(b platform.Backend) error {
	var f faults
	r, err := readAll(b, everything(b))
	for id, s := range r.samples {
		if s.stray != 0 {
			f.add("%v: %d values of other entities", id, s.stray)
		}
		for text := range s.texts {
			if text.Entity() != id.entity {
				f.add("%v has the text %v", id, text)
			}
		}
	}
	return errors.Join(err, f.err())
}

func checkMisses(b platform.Backend) error {
	var f faults
	for i, source := range b.Sources() {
		set := platform.SourceSet(0).With(i)
		r, err := readAll(b, set)
		if err != nil {
			return fmt.Errorf("%s: %w", source.Name, err)
		}
		for _, m := range r.misses {
			if m.source < 0 || !(set | clocks(b)).Has(m.source) || int(m.why) >= platform.Reasons {
				f.add("%s alone: source %d missed, %v", source.Name, m.source, m.why)
			}
		}
	}
	return f.err()
}

func checkKeys(b platform.Backend) error {
	var f faults
	r, err := readAll(b, everything(b))
	for _, id := range r.twice {
		f.add("%v came twice", id)
	}
	return errors.Join(err, f.err())
}

func checkCounters(b platform.Backend) error {
	var f faults
	var before *record
	for range 3 {
		now, err := readAll(b, everything(b))
		if err != nil {
			return err
		}
		if before != nil {
			checkGrowth(&f, before, now, narrow(b))
		}
		before = now
		time.Sleep(20 * time.Millisecond)
	}
	return f.err()
}

// narrow is the set of fields that may wrap.
func narrow(b platform.Backend) (fields platform.FieldSet) {
	for _, s := range b.Sources() {
		for _, g := range s.Gives {
			if g.Bits != 0 && g.Bits < 64 {
				fields.Add(g.Field)
			}
		}
	}
	return fields
}

// checkGrowth allows for what is left to the correction of counters: wraps, and
// times that step back by up to three seconds, as iowait does on Linux.
func checkGrowth(f *faults, before, now *record, narrow platform.FieldSet) {
	const jitter = uint64(3 * time.Second)
	for id, old := range before.samples {
		for field, v := range now.samples[id].fields {
			info, was := field.Info(), old.fields[field]
			if !info.Cumulative || v >= was || narrow.Has(field) || info.Unit == "ns" && was-v <= jitter {
				continue
			}
			f.add("%v of %v fell from %d to %d", field, id, was, v)
		}
	}
}

// modes pairs the CPU time of the host with that of its CPUs.
func modes() [][2]platform.Field {
	return [][2]platform.Field{
		{platform.HostCPUUser, platform.CPUUser}, {platform.HostCPUNice, platform.CPUNice},
		{platform.HostCPUSystem, platform.CPUSystem}, {platform.HostCPUIdle, platform.CPUIdle},
		{platform.HostCPUIowait, platform.CPUIowait}, {platform.HostCPUInterrupt, platform.CPUInterrupt},
		{platform.HostCPUSteal, platform.CPUSteal},
	}
}

func checkCPUs(b platform.Backend) error {
	var f faults
	var want platform.FieldSet
	for _, m := range modes() {
		want.Add(m[0])
		want.Add(m[1])
	}
	set, _ := platform.Choose(b.Sources(), platform.Want{Fields: want})
	r, err := readAll(b, set)
	if err != nil {
		return err
	}
	host, cpus := r.of(platform.Host)[platform.Key{}], r.of(platform.CPU)
	for _, m := range modes() {
		checkSum(&f, host, cpus, m[0], m[1])
	}
	return f.err()
}

// checkSum allows for the time between two reads, and for a CPU that went away
// with its share.
func checkSum(f *faults, host sample, cpus map[platform.Key]sample, whole, part platform.Field) {
	total, ok := host.fields[whole]
	var sum uint64
	for _, cpu := range cpus {
		v, has := cpu.fields[part]
		sum, ok = sum+v, ok && has
	}
	slack := uint64(len(cpus))*uint64(time.Second) + total/100
	if ok && len(cpus) > 0 && max(sum, total)-min(sum, total) > slack {
		f.add("%v is %d, the sum of %v is %d", whole, total, part, sum)
	}
}

func checkMemory(b platform.Backend) error {
	fields := platform.Fields(platform.ProcessMemoryRSS, platform.ProcessMemoryVirtual)
	all, set, err := processes(b, fields, platform.Texts(platform.ProcessExecutable))
	if err != nil {
		return err
	}
	var f faults
	programs := 0
	for key, s := range all {
		if s.texts[platform.ProcessExecutable] == "" {
			continue
		}
		programs++
		// One that ends while it is read has given its memory back already.
		if !hasMemory(s) && !hasMemory(again(b, key, set, s)) {
			f.add("%d, %s: %v", key.ID, s.texts[platform.ProcessExecutable], s.fields)
		}
	}
	given := declared(b, set)
	if given.Texts.Has(platform.ProcessExecutable) && programs == 0 {
		f.add("none of %d processes runs a program", len(all))
	}
	return f.err()
}

func hasMemory(s sample) bool {
	rss, virtual := s.fields[platform.ProcessMemoryRSS], s.fields[platform.ProcessMemoryVirtual]
	return rss > 0 && virtual > 0
}

// again reads a process once more. For one that has ended, or is about to, the
// answer is a sample to be content with.
func again(b platform.Backend, key platform.Key, set platform.SourceSet, content sample) sample {
	time.Sleep(50 * time.Millisecond)
	r, err := readOne(b, key, set)
	s, ok := r.of(platform.Process)[key]
	if err == nil && ok && s.texts[platform.ProcessExecutable] != "" {
		return s
	}
	content.fields[platform.ProcessMemoryRSS], content.fields[platform.ProcessMemoryVirtual] = 1, 1
	return content
}

func checkOne(b platform.Backend) error {
	set := processSources(b)
	all, err := readAll(b, set)
	if err != nil {
		return err
	}
	var f faults
	compared := 0
	for key, s := range all.of(platform.Process) {
		one, err := readOne(b, key, set)
		if errors.Is(err, os.ErrProcessDone) {
			continue
		}
		got, ok := one.of(platform.Process)[key]
		if err != nil || !ok || len(one.samples) != 1 {
			f.add("%v: %d samples, %v", key, len(one.samples), err)
			continue
		}
		compared++
		checkSame(&f, key, s, got)
		if poorer(got, s) && staysPoorer(b, key, set, s) {
			f.add("%v has %d fields, and had %d before", key, len(got.fields), len(s.fields))
		}
	}
	if len(all.samples) > 0 && compared == 0 {
		f.add("none of %d processes could be read by its key", len(all.samples))
	}
	return f.err()
}

// checkSame compares what a walk and a single read told of a process. Only what
// counts up is sure to be comparable.
func checkSame(f *faults, key platform.Key, walk, one sample) {
	for field, was := range walk.fields {
		v, ok := one.fields[field]
		info := field.Info()
		if ok && info.Cumulative && v < was && info.Unit != "ns" {
			f.add("%v of %v is %d, and was %d before", field, key, v, was)
		}
	}
}

// poorer reports whether a single read told clearly less than the walk of a process
// that lives.
func poorer(one, walk sample) bool {
	return one.fields[platform.ProcessState] != uint64(platform.StateDefunct) && len(one.fields)+3 < len(walk.fields)
}

// staysPoorer asks again for ten seconds. A process that is about to end has lost its
// memory before it is defunct.
func staysPoorer(b platform.Backend, key platform.Key, set platform.SourceSet, walk sample) bool {
	for range 200 {
		time.Sleep(50 * time.Millisecond)
		r, err := readOne(b, key, set)
		if errors.Is(err, os.ErrProcessDone) || err == nil && !poorer(r.of(platform.Process)[key], walk) {
			return false
		}
	}
	return true
}

func checkAnyone(b platform.Backend) error {
	all, err := readAll(b, clocks(b))
	if err != nil {
		return err
	}
	var f faults
	for key := range all.of(platform.Process) {
		one, err := readOne(b, platform.Key{ID: key.ID}, clocks(b))
		if errors.Is(err, os.ErrProcessDone) {
			continue
		}
		if _, ok := one.of(platform.Process)[key]; err != nil || !ok {
			f.add("%v gave %d samples, %v", key, len(one.samples), err)
		}
	}
	return f.err()
}

func checkSelf(b platform.Backend) error {
	if clocks(b) == 0 {
		return nil
	}
	one, err := readOne(b, platform.Self, processSources(b))
	if errors.Is(err, errors.ErrUnsupported) {
		return nil // a recorded kernel has nobody calling
	}
	if err != nil {
		return err
	}
	var f faults
	for id := range one.samples {
		if id.entity != platform.Process || id.key == platform.Self {
			f.add("a sample of %v", id)
		}
	}
	if len(one.samples) != 1 {
		f.add("%d samples", len(one.samples))
	}
	return f.err()
}

func checkGone(b platform.Backend) error {
	if clocks(b) == 0 {
		return nil
	}
	var f faults
	for _, set := range []platform.SourceSet{clocks(b), processSources(b)} {
		all, err := readAll(b, clocks(b))
		if err != nil {
			return err
		}
		var free uint64
		for key := range all.of(platform.Process) {
			free = max(free, key.ID)
		}
		free += 1 << 20
		for _, key := range []platform.Key{{ID: free}, {ID: free, Start: 1}} {
			wantDone(&f, b, key, set)
		}
	}
	return f.err()
}

func checkReused(b platform.Backend) error {
	all, err := readAll(b, clocks(b))
	if err != nil {
		return err
	}
	var f faults
	for key := range all.of(platform.Process) {
		key.Start++
		wantDone(&f, b, key, clocks(b))
		wantDone(&f, b, key, processSources(b))
	}
	return f.err()
}

func wantDone(f *faults, b platform.Backend, key platform.Key, set platform.SourceSet) {
	r, err := readOne(b, key, set)
	if !errors.Is(err, os.ErrProcessDone) || len(r.samples) > 0 {
		f.add("%v gave %d samples, %v", key, len(r.samples), err)
	}
}
