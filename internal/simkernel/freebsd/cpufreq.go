package freebsd

import (
	"fmt"
	"io/fs"
	"strings"

	"github.com/pidometer/pidometer/internal/simkernel"
)

// Driver is what drives the frequency of a CPU, as cpufreq(4) knows it.
type Driver struct {
	// Current is what was measured or set, in MHz; -1 if nobody knows.
	Current int32
	// Levels are those that can be chosen, the most first.
	Levels []int32
	// Nominal is that of a CPU whose hardware chooses by itself, and 0 where Levels count: the
	// kernel then tells of one level at 100 %, whose power is unknown. It is -1 if unknown too.
	Nominal int32
}

// cpufreq answers dev.cpu.[N].freq and freq_levels.
func (k *Kernel) cpufreq(name string) ([]byte, error) {
	for cpu, d := range k.Drivers {
		switch name {
		case fmt.Sprintf("dev.cpu.%d.freq", cpu):
			return simkernel.Words32(uint32(d.Current)), nil
		case fmt.Sprintf("dev.cpu.%d.freq_levels", cpu):
			return append([]byte(d.levels()), 0), nil
		}
	}
	return nil, fs.ErrNotExist
}

// levels are frequencies and what they take, which is not known of every other one.
func (d Driver) levels() string {
	if d.Nominal != 0 {
		return fmt.Sprintf("%d/-1", d.Nominal)
	}
	if len(d.Levels) == 0 {
		return "0"
	}
	var all []string
	for i, speed := range d.Levels {
		power := int32(-1)
		if i%2 == 0 {
			power = speed * 10
		}
		all = append(all, fmt.Sprintf("%d/%d", speed, power))
	}
	return strings.Join(all, " ")
}
