package linux

import (
	"bytes"

	"github.com/pidometer/pidometer/internal/text"
	"github.com/pidometer/pidometer/platform"
)

// Limits reads limits.
func (p *inspection) Limits() ([]platform.Limit, error) {
	return detail(p, "limits", anyLiving, func(dir int) ([]platform.Limit, error) {
		b, err := p.once(dir, p.join("limits"))
		if err != nil {
			return nil, err
		}
		limits := decodeLimits(b)
		if len(limits) == 0 {
			return nil, errContent
		}
		return limits, nil
	})
}

// limitWidth is how wide the kernel prints the label of a limit.
const limitWidth = 25

// decodeLimits reads /proc/[pid]/limits (proc_pid_limits in fs/proc/base.c).
//
//	Limit                     Soft Limit           Hard Limit           Units
//	Max cpu time              unlimited            unlimited            seconds
//	Max nice priority         0                    0
func decodeLimits(b []byte) []platform.Limit {
	limits := []platform.Limit{}
	for line := range text.Lines(text.Whole(b)) {
		if len(line) < limitWidth {
			continue
		}
		name, ok := limitName(text.Trim(line[:limitWidth]))
		if !ok {
			continue
		}
		soft, rest, softOK := boundOf(line[limitWidth:])
		hard, rest, hardOK := boundOf(rest)
		if softOK && hardOK {
			limits = append(limits, platform.Limit{Name: name, Unit: limitUnit(rest), Soft: soft, Hard: hard})
		}
	}
	return limits
}

// limitName returns the name of a limit in getrlimit(2).
func limitName(label []byte) (name string, ok bool) {
	switch string(label) {
	case "Max cpu time":
		return "RLIMIT_CPU", true
	case "Max file size":
		return "RLIMIT_FSIZE", true
	case "Max data size":
		return "RLIMIT_DATA", true
	case "Max stack size":
		return "RLIMIT_STACK", true
	case "Max core file size":
		return "RLIMIT_CORE", true
	case "Max resident set":
		return "RLIMIT_RSS", true
	case "Max processes":
		return "RLIMIT_NPROC", true
	case "Max open files":
		return "RLIMIT_NOFILE", true
	case "Max locked memory":
		return "RLIMIT_MEMLOCK", true
	case "Max address space":
		return "RLIMIT_AS", true
	case "Max file locks":
		return "RLIMIT_LOCKS", true
	case "Max pending signals":
		return "RLIMIT_SIGPENDING", true
	case "Max msgqueue size":
		return "RLIMIT_MSGQUEUE", true
	case "Max nice priority":
		return "RLIMIT_NICE", true
	case "Max realtime priority":
		return "RLIMIT_RTPRIO", true
	case "Max realtime timeout":
		return "RLIMIT_RTTIME", true
	}
	return "", false
}

// boundOf reads one value.
func boundOf(b []byte) (v platform.Bound, rest []byte, ok bool) {
	field, rest := text.Field(b)
	if bytes.Equal(field, []byte("unlimited")) {
		return platform.Bound{Infinite: true}, rest, true
	}
	v.Value, _, ok = text.UintField(field)
	return v, rest, ok
}

func limitUnit(b []byte) string {
	unit := string(text.Trim(b))
	if unit == "us" {
		return "microseconds"
	}
	return unit
}
