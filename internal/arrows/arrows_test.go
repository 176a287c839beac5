package arrows

import (
	"errors"
	"go/build"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// fits reports whether a path is what a pattern of the table says.
func fits(pattern, p string) bool {
	if dir, ok := strings.CutSuffix(pattern, "/..."); ok {
		return p == dir || strings.HasPrefix(p, dir+"/")
	}
	if dir, ok := strings.CutSuffix(pattern, "/*"); ok {
		return path.Dir(p) == dir
	}
	return p == pattern
}

func anyFits(patterns []string, p string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool { return fits(pattern, p) })
}

// within returns the path of an imported package in this module.
func within(imported string) (string, bool) { return strings.CutPrefix(imported, module+"/") }

// isStandard reports whether a package is of the standard library: no first
// element of its paths has a dot, and every host's name has one.
func isStandard(imported string) bool {
	first, _, _ := strings.Cut(imported, "/")
	return !strings.Contains(first, ".")
}

// allows reports whether the table has this arrow.
func (a *arrow) allows(imported string) bool {
	if anyFits(forbidden, imported) {
		return false
	}
	if ours, ok := within(imported); ok {
		return anyFits(a.ours, ours)
	}
	return isStandard(imported) || anyFits(a.outside, imported)
}

// row returns the row of the table for a package.
func row(p string) *arrow {
	for i := range table {
		if fits(table[i].from, p) {
			return &table[i]
		}
	}
	return nil
}

// target is how the go command sees this module when it builds for a system.
func target(goos string) build.Context {
	c := build.Default
	c.GOOS, c.GOARCH, c.CgoEnabled = goos, "amd64", false
	return c
}

// imports returns what the package in a folder imports on a system, outside tests.
func imports(t *testing.T, goos, dir string) *build.Package {
	t.Helper()
	c := target(goos)
	p, err := c.ImportDir(filepath.Join(root, dir), 0)
	if err != nil && !errors.As(err, new(*build.NoGoError)) {
		t.Fatal(err)
	}
	return p
}

func TestArrows(t *testing.T) {
	for _, f := range packages(t) {
		allowed := row(f.path)
		switch {
		case f.isTest():
		case allowed == nil:
			t.Errorf("%s is not in the table of arrows", f.path)
		default:
			checkArrows(t, f, allowed)
		}
	}
}

func checkArrows(t *testing.T, f *folder, allowed *arrow) {
	wrong := map[string][]string{} // the systems on which a package is imported
	for _, goos := range goosList {
		p := imports(t, goos, f.path)
		if len(p.GoFiles) == 0 {
			t.Errorf("%s: %s has no file to build", goos, f.path)
		}
		for _, imported := range p.Imports {
			if !allowed.allows(imported) {
				wrong[imported] = append(wrong[imported], goos)
			}
		}
	}
	for imported, systems := range wrong {
		t.Errorf("%s must not import %s, as it does on %s", f.path, imported, strings.Join(systems, ", "))
	}
}

// The table is read for the systems above, so that a file that is built for none
// of them would go unseen. DragonFly stands for those that Go has a port to and this
// module no backend.
func TestEveryFileIsBuiltSomewhere(t *testing.T) {
	for _, f := range packages(t) {
		built := map[string]bool{}
		for _, goos := range append([]string{"dragonfly"}, goosList...) {
			for _, name := range imports(t, goos, f.path).GoFiles {
				built[path.Join(f.path, name)] = true
			}
		}
		for _, file := range f.sources() {
			if !built[file.path] {
				t.Errorf("%s is built for none of %v", file.path, goosList)
			}
		}
	}
}

// System calls stand in files that are named after a system, in the package of
// that system: all else is built, and tested, everywhere.
func TestSystemCallsAreAtTheEdge(t *testing.T) {
	for _, f := range packages(t) {
		for _, file := range f.sources() {
			for _, spec := range file.ast.Imports {
				imported, _ := strconv.Unquote(spec.Path.Value)
				if !anyFits(edge, imported) {
					continue
				}
				goos := suffix(file.path)
				if !slices.Contains(backends[path.Base(f.path)], goos) {
					t.Errorf("%s imports %s: only a file of %s for its own system may", file.path, imported, f.path)
				}
			}
		}
	}
}

// suffix returns the system that a file is named after.
func suffix(file string) string {
	parts := strings.Split(strings.TrimSuffix(path.Base(file), ".go"), "_")
	if last := parts[len(parts)-1]; len(parts) > 1 && slices.Contains(goosList, last) {
		return last
	}
	return ""
}

// A service that imports instrumentation compiles the OpenTelemetry API and x/sys.
func TestInstrumentationReachesTheAPIOnly(t *testing.T) {
	for _, goos := range goosList {
		seen := map[string]bool{}
		var visit func(dir string)
		visit = func(dir string) {
			if seen[dir] {
				return
			}
			seen[dir] = true
			for _, imported := range imports(t, goos, dir).Imports {
				if ours, ok := within(imported); ok {
					visit(ours)
				} else if !isStandard(imported) && !anyFits(append(edge, api...), imported) {
					t.Errorf("%s: instrumentation reaches %s through %s", goos, imported, dir)
				}
			}
		}
		visit("instrumentation")
	}
}

// The same, as the go command sees it: with what the API itself brings along.
func TestInstrumentationBringsFewModules(t *testing.T) {
	for _, goos := range goosList {
		list := exec.Command("go", "list", "-deps", "-f", "{{with .Module}}{{.Path}}{{end}}", "./instrumentation")
		list.Dir = root
		list.Env = append(os.Environ(), "GOOS="+goos, "GOARCH=amd64", "CGO_ENABLED=0")
		out, err := list.Output()
		if err != nil {
			t.Fatalf("go list for %s: %v", goos, err)
		}
		modules := strings.Fields(string(out))
		slices.Sort(modules)
		for _, m := range slices.Compact(modules) {
			if m != module && !slices.Contains(reachable, m) {
				t.Errorf("%s: who imports instrumentation also compiles %s", goos, m)
			}
		}
	}
}

func TestPatternsOfTheTable(t *testing.T) {
	for _, test := range []struct {
		pattern, path string
		want          bool
	}{
		{"platform", "platform", true},
		{"platform", "platform/linux", false},
		{"platform/*", "platform/linux", true},
		{"platform/*", "platform", false},
		{"platform/*", "platform/linux/deep", false},
		{"platform/...", "platform", true},
		{"platform/...", "platform/linux/deep", true},
		{"platform/...", "platforms", false},
	} {
		if got := fits(test.pattern, test.path); got != test.want {
			t.Errorf("%s fits %s: %v", test.pattern, test.path, got)
		}
	}
	for name, want := range map[string]string{
		"read_linux.go": "linux", "linux.go": "", "read_unix.go": "", "read_other.go": "", "a/b_illumos.go": "illumos",
	} {
		if got := suffix(name); got != want {
			t.Errorf("%s is for %q, want %q", name, got, want)
		}
	}
}
