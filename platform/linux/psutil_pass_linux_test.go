package linux

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"strconv"
	"strings"

	"github.com/pidometer/pidometer/platform"
)

// ofPass marks what a pass tells, in an account that also holds what an inspection tells.
const ofPass = " of a pass"

// playDumper answers each line of its input with what we say, as the script does. Each
// time it looks for the first time, so that nothing counts of threads that have ended.
func playDumper() {
	in := bufio.NewScanner(os.Stdin)
	out := json.NewEncoder(os.Stdout)
	for in.Scan() {
		b := try(New(Options{AllDevices: true})).(*backend)
		switch in.Text() {
		case "processes":
			must(out.Encode(dumpProcesses(b)))
		case "host":
			must(out.Encode(account{"": spellHost(b)}))
		}
		must(b.Close())
	}
	os.Exit(0)
}

// dumpProcesses makes one pass over everything that a process has, and inspects each
// process of it.
func dumpProcesses(b *backend) account {
	d := passDump{account: account{}, sources: b.Sources(), boot: b.Boot(), page: b.page}
	reader := try(b.Begin(context.Background()))
	must(reader.Read(processSources, &d))
	must(reader.Close())
	for pid, values := range d.account {
		p, err := b.Inspect(context.Background(), platform.Key{ID: try(strconv.ParseUint(pid, 10, 64))})
		if err == nil {
			maps.Copy(values, spellDetails(p))
			p.Close()
		}
	}
	return d.account
}

// passDump is a sink that spells samples in the way of the script.
type passDump struct {
	account account
	sources []platform.Source
	boot    platform.Boot
	page    uint64
	missed  map[int]platform.Reason // of the process that comes next
}

func (d *passDump) Miss(source int, why platform.Reason) {
	if d.missed == nil {
		d.missed = map[int]platform.Reason{}
	}
	d.missed[source] = why
}

func (d *passDump) Sample(s *platform.Sample) bool {
	v := values{s, d}
	d.account[strconv.FormatUint(s.Key.ID, 10)] = v.spell()
	d.missed = nil
	return true
}

// values spells one sample.
type values struct {
	*platform.Sample
	*passDump
}

func (v values) spell() map[string]string {
	created := v.boot.Created(v.Key.Start)
	all := map[string]string{
		"cpu": v.numbers(tick.Nanoseconds(), platform.ProcessCPUUser, platform.ProcessCPUSystem,
			platform.ProcessChildCPUUser, platform.ProcessChildCPUSystem, platform.ProcessCPUIowait),
		"disk": v.numbers(1, platform.ProcessDiskReads, platform.ProcessDiskWrites, platform.ProcessDiskReadBytes,
			platform.ProcessDiskWriteBytes, platform.ProcessRequestedRead, platform.ProcessRequestedWrite),
		"switches": v.numbers(1, platform.ProcessSwitchesVoluntary, platform.ProcessSwitchesInvoluntary),
		"memory": v.numbers(1, platform.ProcessMemoryRSS, platform.ProcessMemoryVirtual, platform.ProcessMemoryShared,
			platform.ProcessMemoryText, platform.ProcessMemoryData),
		"full memory":      v.numbers(1, platform.ProcessMemoryUSS, platform.ProcessMemoryPSS, platform.ProcessMemorySwap),
		"descriptors":      v.numbers(1, platform.ProcessOpenFiles),
		"thread count":     v.numbers(1, platform.ProcessThreads),
		"effective user":   v.numbers(1, platform.ProcessUser),
		"open files limit": v.numbers(1, platform.ProcessFileLimitSoft, platform.ProcessFileLimitHard),
		"allowed":          v.numbers(1, platform.ProcessCPUAllowed),
		"cpu number":       v.numbers(1, platform.ProcessCPUNumber),
		"parent":           v.numbers(1, platform.ProcessParent),
		"nice":             v.numbers(1, platform.ProcessNice),
		"ionice":           v.ioPriority(),
		"state":            v.state(),
		"command":          v.text(platform.ProcessCommand, hexOf),
		"exe":              v.text(platform.ProcessExecutable, hexOf),
		"owner":            v.text(platform.ProcessOwner, hexOf),
		"cmdline": v.text(platform.ProcessArguments, func(s string) string {
			return hexOf(strings.ReplaceAll(strings.TrimSuffix(s, "\x00"), "\x00", " "))
		}),
		"environ": v.text(platform.ProcessEnvironment, func(s string) string {
			return spellEnvironment(strings.Split(s, "\x00"))
		}),
	}
	marked := map[string]string{"start": strconv.FormatInt(created.UnixMilli()/10, 10)}
	for name, value := range all {
		marked[name+ofPass] = value
	}
	return marked
}

// numbers spells fields, which the script has in another unit.
func (v values) numbers(unit int64, fields ...platform.Field) string {
	var all []string
	for _, f := range fields {
		n, ok := v.Get(f)
		switch {
		case !ok && len(fields) == 1:
			return v.absent(func(s platform.Source) bool { return gives(s, f) })
		case !ok:
			all = append(all, v.absent(func(s platform.Source) bool { return gives(s, f) }))
		default:
			all = append(all, strconv.FormatInt(int64(n)/unit, 10))
		}
	}
	if strings.HasPrefix(all[0], "! ") {
		return all[0]
	}
	return strings.Join(all, " ")
}

func gives(s platform.Source, f platform.Field) bool {
	for _, g := range s.Gives {
		if g.Field == f {
			return true
		}
	}
	return false
}

// text spells a text.
func (v values) text(t platform.Text, spell func(string) string) string {
	b, ok := v.Text(t)
	if !ok {
		return v.absent(func(s platform.Source) bool {
			for _, have := range s.Texts {
				if have == t {
					return true
				}
			}
			return false
		})
	}
	return spell(string(b))
}

// absent says why there is no value: what became of the source that has it, or "-" if
// that told, and of this nothing.
func (v values) absent(has func(platform.Source) bool) string {
	for i, why := range v.missed {
		if has(v.sources[i]) {
			return "! " + why.String()
		}
	}
	return "-"
}

func (v values) state() string {
	state, ok := v.Get(platform.ProcessState)
	if !ok {
		return v.absent(func(s platform.Source) bool { return gives(s, platform.ProcessState) })
	}
	return strconv.FormatUint(state, 10)
}

func (v values) ioPriority() string {
	for class := range ioprioClasses {
		if level, ok := v.Get(platform.ProcessIOPriorityNone + platform.Field(class)); ok {
			return fmt.Sprintf("%d %d", class, level)
		}
	}
	return v.absent(func(s platform.Source) bool { return gives(s, platform.ProcessIOPriorityNone) })
}
