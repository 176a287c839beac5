package arrows

import (
	"bytes"
	"slices"
	"testing"
)

// Limits, in lines. A function does one thing, and a file is about one noun.
const (
	longestFunction = 70
	medianFunction  = 10 // stays below
	longestFile     = 500
)

func TestFunctionsAreShort(t *testing.T) {
	var code, tests []int
	for _, f := range packages(t) {
		code = append(code, lengths(t, f.sources())...)
		tests = append(tests, lengths(t, f.tests())...)
	}
	if m := report(t, "functions", code); m >= medianFunction {
		t.Errorf("half of the functions have %d lines or more; %d are too many", m, medianFunction)
	}
	report(t, "functions of tests", tests)
}

// lengths measures functions from func to the closing brace.
func lengths(t *testing.T, files []*goFile) (lengths []int) {
	for _, file := range files {
		for _, fn := range file.functions() {
			n := fset.Position(fn.End()).Line - fset.Position(fn.Pos()).Line + 1
			if n > longestFunction {
				t.Errorf("%s: %s has %d lines; %d is the limit", at(fn), fn.Name.Name, n, longestFunction)
			}
			lengths = append(lengths, n)
		}
	}
	return lengths
}

func TestFilesAreShort(t *testing.T) {
	var all []int
	for _, f := range packages(t) {
		for _, file := range f.files {
			n := bytes.Count(file.src, []byte("\n"))
			if n > longestFile {
				t.Errorf("%s has %d lines; %d is the limit", file.path, n, longestFile)
			}
			all = append(all, n)
		}
	}
	report(t, "files", all)
}

// report logs how sizes are spread, and returns the median.
func report(t *testing.T, what string, sizes []int) (median int) {
	if len(sizes) == 0 {
		return 0
	}
	slices.Sort(sizes)
	last := len(sizes) - 1
	median = sizes[last/2]
	t.Logf("%d %s, lines: half of them up to %d, nine of ten up to %d, the longest %d",
		len(sizes), what, median, sizes[last*9/10], sizes[last])
	return median
}
