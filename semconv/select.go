package semconv

import (
	"errors"
	"fmt"
	"strings"

	"github.com/pidometer/pidometer/internal/text"
)

// Select returns the metrics that are on, in the order of [Metrics]. It begins
// with those that are not OptIn and applies the patterns in turn:
//
//	system.cpu.utilization   adds that metric
//	system.memory.*          adds all that match, those that are OptIn too
//	*                        adds everything
//	-system.network.*        takes away what matches
//	-*                       takes away everything, so that what follows is all
//
// A star stands for any run of characters. A name or pattern that matches no
// metric at all is an error, which names it and, if one is close, what may have
// been meant; all such errors are joined.
func Select(patterns []string) ([]Metric, error) {
	all := Metrics()
	on := make([]bool, len(all))
	for i := range all {
		on[i] = !all[i].OptIn
	}
	var errs []error
	for _, p := range patterns {
		errs = append(errs, apply(all, on, p))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return enabled(all, on), nil
}

// apply switches what matches one pattern on, or off behind a minus sign.
func apply(all []Metric, on []bool, pattern string) error {
	glob, off := strings.CutPrefix(pattern, "-")
	found := false
	for i := range all {
		if text.Glob(glob, all[i].Name) {
			on[i], found = !off, true
		}
	}
	if found {
		return nil
	}
	if name := nearest(all, glob); name != "" {
		return fmt.Errorf("no metric matches %q: did you mean %q?", pattern, name)
	}
	return fmt.Errorf("no metric matches %q", pattern)
}

func enabled(all []Metric, on []bool) (metrics []Metric) {
	for i := range all {
		if on[i] {
			metrics = append(metrics, all[i])
		}
	}
	return metrics
}

// nearest returns the metric whose name differs from s in the fewest characters,
// or "" if even that differs in more than a sixth of s: a bolder guess takes
// system.network.packets for system.network.errors.
func nearest(all []Metric, s string) (name string) {
	least := len(s)/6 + 1
	for i := range all {
		n := all[i].Name
		if skew := len(n) - len(s); skew >= least || -skew >= least {
			continue // the names differ in length alone by more: no need to look
		}
		if d := distance(s, n); d < least {
			name, least = n, d
		}
	}
	return name
}

// distance is how many bytes must be inserted, deleted or replaced to make b of a
// (Levenshtein), by one row of the table at a time.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replace := diagonal
			if a[i] != b[j] {
				replace++
			}
			diagonal = row[j+1]
			row[j+1] = min(replace, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}
