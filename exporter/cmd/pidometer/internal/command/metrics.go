package command

import (
	"context"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/pidometer/pidometer/platform"
	"github.com/pidometer/pidometer/platform/native"
	"github.com/pidometer/pidometer/semconv"
)

// systems are the operating systems that the catalogue tells of.
var systems = []string{"linux", "windows", "darwin", "freebsd", "openbsd", "netbsd", "dragonfly", "solaris"}

// metrics prints the catalogue. It is the same on every system.
func metrics(_ context.Context, env Env, _ *flags) (End, error) {
	t := tabwriter.NewWriter(env.Out, 0, 0, 2, ' ', 0)
	io.WriteString(t, "NAME\tUNIT\tKIND\tDEFAULT\tSTATUS\tSYSTEMS\tNEEDS\n")
	for _, m := range semconv.Metrics() {
		byDefault := "on"
		if m.OptIn {
			byDefault = "off"
		}
		on, needs := provided(&m)
		io.WriteString(t, strings.Join([]string{m.Name, m.Unit, m.Kind.String(), byDefault, m.Status(), on, needs}, "\t")+"\n")
	}
	return End{}, t.Flush()
}

// provided tells which systems have a metric and what privilege it takes there.
func provided(m *semconv.Metric) (on, needs string) {
	var have, need []string
	for _, goos := range systems {
		sources := native.Sources(goos)
		set, missing := platform.Choose(sources, platform.Want{Fields: fields(m)})
		if set == 0 || missing.Fields == fields(m) {
			continue
		}
		have = append(have, goos)
		for i := range set.All() {
			if n := sources[i].Needs; n != "" {
				need = append(need, goos+": "+n)
			}
		}
	}
	if m.Name == "system.process.count" {
		have = counted()
	}
	return strings.Join(have, " "), strings.Join(need, "; ")
}

func fields(m *semconv.Metric) (set platform.FieldSet) {
	for _, p := range m.Points {
		set.Add(p.Field)
	}
	return set
}

// counted are the systems that tell the state of a process, of which a pass
// counts how many are in which.
func counted() (have []string) {
	for _, goos := range systems {
		_, missing := platform.Choose(native.Sources(goos), platform.Want{Fields: platform.Fields(platform.ProcessState)})
		if missing.Fields.Empty() {
			have = append(have, goos)
		}
	}
	return have
}
