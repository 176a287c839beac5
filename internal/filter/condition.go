package filter

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pidometer/pidometer/internal/text"
	"github.com/pidometer/pidometer/platform"
)

// textIs compares a text, spelled as it is exported, with globs.
func textIs(t platform.Text) func(string) (Condition, error) {
	return func(value string) (Condition, error) {
		return Condition{
			Want: platform.Want{Texts: platform.Texts(t)},
			test: func(s *platform.Sample) (holds, known bool) {
				b, known := s.Text(t)
				return known && fits(value, b), known
			},
		}, nil
	}
}

// fits reports whether bytes fit one of the globs.
func fits(globs string, b []byte) bool {
	spelled := text.Escape(b)
	return either(globs, func(glob string) bool { return text.Glob(glob, spelled) })
}

// executableIs compares the path of the program file, or its base name where the
// glob names no folder.
func executableIs(value string) (Condition, error) {
	return Condition{
		Want: platform.Want{Texts: platform.Texts(platform.ProcessExecutable)},
		test: func(s *platform.Sample) (holds, known bool) {
			path, known := s.Text(platform.ProcessExecutable)
			name := path[bytes.LastIndexByte(path, '/')+1:]
			return known && either(value, func(glob string) bool {
				if strings.Contains(glob, "/") {
					return text.Glob(glob, text.Escape(path))
				}
				return text.Glob(glob, text.Escape(name))
			}), known
		},
	}, nil
}

// ownerIs takes names and user IDs.
func ownerIs(value string) (Condition, error) {
	return Condition{
		Want: platform.Want{Texts: platform.Texts(platform.ProcessOwner), Fields: platform.Fields(platform.ProcessUser)},
		test: func(s *platform.Sample) (holds, known bool) {
			id, hasID := s.Get(platform.ProcessUser)
			name, hasName := s.Text(platform.ProcessOwner)
			return either(value, func(owner string) bool {
				return hasName && owner == text.Escape(name) || hasID && owner == strconv.FormatUint(id, 10)
			}), hasID || hasName
		},
	}, nil
}

var states = []string{
	platform.StateRunning: "running", platform.StateSleeping: "sleeping",
	platform.StateStopped: "stopped", platform.StateDefunct: "defunct"}

func stateIs(value string) (Condition, error) {
	unknown := ""
	either(value, func(s string) bool {
		if !slices.Contains(states, s) {
			unknown = s
		}
		return false
	})
	if unknown != "" {
		return Condition{}, fmt.Errorf("there is no state %q", unknown)
	}
	return Condition{
		Want: platform.Want{Fields: platform.Fields(platform.ProcessState)},
		test: func(s *platform.Sample) (holds, known bool) {
			state, known := s.Get(platform.ProcessState)
			if !known || state >= uint64(len(states)) {
				return false, false
			}
			return either(value, func(name string) bool { return name == states[state] }), true
		},
	}, nil
}

func ageIs(value string) (Condition, error) {
	d, err := time.ParseDuration(value)
	if err != nil || d < 0 {
		return Condition{}, fmt.Errorf("%q is no time such as 10s or 5m", value)
	}
	return atLeast(platform.ProcessUptime, uint64(d)), nil
}

func memoryIs(value string) (Condition, error) {
	size, err := parseSize(value)
	if err != nil {
		return Condition{}, err
	}
	return atLeast(platform.ProcessMemoryRSS, size), nil
}

func atLeast(f platform.Field, least uint64) Condition {
	return Condition{
		Want: platform.Want{Fields: platform.Fields(f)},
		test: func(s *platform.Sample) (holds, known bool) {
			v, known := s.Get(f)
			return v >= least, known
		},
	}
}

var sizes = []struct {
	suffix string
	bytes  float64
}{
	{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"TiB", 1 << 40},
	{"kB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"TB", 1e12}, {"B", 1}, {"", 1}}

func parseSize(s string) (uint64, error) {
	for _, unit := range sizes {
		number, ok := strings.CutSuffix(s, unit.suffix)
		if !ok {
			continue
		}
		v, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
		if err != nil || v < 0 || v*unit.bytes >= math.MaxInt64 {
			break
		}
		return uint64(v * unit.bytes), nil
	}
	return 0, fmt.Errorf("%q is no size such as 100MiB", s)
}

func treeIs(value string) (Condition, error) {
	pid, err := strconv.ParseUint(value, 10, 31)
	if err != nil || pid == 0 {
		return Condition{}, fmt.Errorf("%q is no PID", value)
	}
	return Condition{Tree: pid, Want: platform.Want{Fields: platform.Fields(platform.ProcessParent)}}, nil
}

// environmentIs looks for a variable in the environment at exec. The environment
// is read for this alone, and nothing of it is kept.
func environmentIs(value string) (Condition, error) {
	name, glob, valued := strings.Cut(value, "=")
	if name == "" {
		return Condition{}, errors.New("no name")
	}
	return Condition{
		Want: platform.Want{Texts: platform.Texts(platform.ProcessEnvironment)},
		test: func(s *platform.Sample) (holds, known bool) {
			block, known := s.Text(platform.ProcessEnvironment)
			v, found := variable(block, name)
			return found && (!valued || fits(glob, v)), known
		},
	}, nil
}

// variable finds the value of one variable in a block of NAME=VALUE, each
// followed by a NUL byte.
func variable(block []byte, name string) (value []byte, found bool) {
	for len(block) > 0 {
		var one []byte
		one, block, _ = bytes.Cut(block, []byte{0})
		if n, v, ok := bytes.Cut(one, []byte("=")); ok && string(n) == name {
			return v, true
		}
	}
	return nil, false
}
