package arrows

import (
	"go/ast"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// vague names say nothing of what is in a package.
var vague = []string{"util", "utils", "common", "helper", "helpers", "base", "impl", "manager", "misc", "shared"}

func TestPackageNames(t *testing.T) {
	for _, f := range packages(t) {
		if slices.Contains(vague, f.name()) || slices.Contains(vague, path.Base(f.path)) {
			t.Errorf("%s: name a package after what is in it", f.path)
		}
		if f.name() != "main" && !f.isTest() && f.name() != path.Base(f.path) {
			t.Errorf("%s holds package %s", f.path, f.name())
		}
	}
}

// The words of this table are in parts, so that it does not find itself.
var (
	unfinished = regexp.MustCompile(`\b(` + strings.Join([]string{"TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK"}, "|") +
		`)\b|(?i:not ` + `implemented|not yet ` + `implemented)`)
	foreign = []string{
		"../" + "shared", "/" + "work/", "/tmp/x." + "XXXX", "this " + "session", "sub-" + "agent", "sub" + "agent",
	}
)

func TestNothingIsUnfinished(t *testing.T) {
	for _, f := range packages(t) {
		for _, file := range f.files {
			for i, line := range strings.Split(string(file.src), "\n") {
				if word := unfinished.FindString(line); word != "" {
					t.Errorf("%s:%d: %s: finish it, or make it an issue", file.path, i+1, word)
				}
			}
		}
	}
}

// What only the machine of an author has does not belong into the repository.
func TestNothingIsForeign(t *testing.T) {
	err := walk(func(name string, src []byte) error {
		text := strings.ToLower(string(src))
		for _, word := range foreign {
			if i := strings.Index(text, strings.ToLower(word)); i >= 0 {
				t.Errorf("%s:%d: %s", name, 1+strings.Count(text[:i], "\n"), word)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// A test that does not run says why.
func TestSkipsSayWhy(t *testing.T) {
	for _, f := range packages(t) {
		for _, file := range f.tests() {
			ast.Inspect(file.ast, func(n ast.Node) bool {
				if call, ok := n.(*ast.CallExpr); ok && isSilentSkip(call) {
					t.Errorf("%s: a skip without a reason", at(call))
				}
				return true
			})
		}
	}
}

func isSilentSkip(call *ast.CallExpr) bool {
	f, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return false
	}
	return f.Sel.Name == "SkipNow" || f.Sel.Name == "Skip" && len(call.Args) == 0
}
