package simkernel

import (
	"errors"
	"go/ast"
	"go/build"
	"go/build/constraint"
	"go/parser"
	"go/token"
	"go/types"
	"path/filepath"
	"strings"
	"testing"
)

// XSysWindows type-checks golang.org/x/sys/windows for one architecture, as far as the types
// of its structures go.
func XSysWindows(t *testing.T, arch string) *types.Package {
	t.Helper()
	where, err := build.Import("golang.org/x/sys/windows", ".", build.FindOnly)
	if err != nil {
		t.Fatal(err)
	}
	fset := token.NewFileSet()
	names, _ := filepath.Glob(filepath.Join(where.Dir, "*.go"))
	var files []*ast.File
	for _, name := range names {
		f, err := parser.ParseFile(fset, name, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasSuffix(name, "_test.go") && builtForWindows(name, f, arch) {
			files = append(files, f)
		}
	}
	config := types.Config{IgnoreFuncBodies: true, Error: func(error) {}, Sizes: types.SizesFor("gc", arch), Importer: noImports{}}
	p, _ := config.Check("windows", fset, files, nil)
	return p
}

// noImports leaves what other packages declare unknown: no structure here is made of it.
type noImports struct{}

func (noImports) Import(path string) (*types.Package, error) { return nil, errors.New(path) }

func builtForWindows(name string, f *ast.File, arch string) bool {
	for _, other := range []string{"386", "amd64", "arm", "arm64"} {
		if other != arch && strings.HasSuffix(name, "_"+other+".go") {
			return false
		}
	}
	for _, group := range f.Comments {
		for _, c := range group.List {
			if x, err := constraint.Parse(c.Text); err == nil && !x.Eval(func(tag string) bool { return tag == "windows" || tag == arch || strings.HasPrefix(tag, "go1") }) {
				return false
			}
		}
	}
	return true
}

// OffsetsIn returns where each member of a structure of a package is, and its size under "".
func OffsetsIn(t *testing.T, p *types.Package, name, arch string) map[string]int {
	t.Helper()
	object := p.Scope().Lookup(name)
	if object == nil {
		t.Fatalf("x/sys has no %s", name)
	}
	s := object.Type().Underlying().(*types.Struct)
	sizes := types.SizesFor("gc", arch)
	var fields []*types.Var
	for f := range s.Fields() {
		fields = append(fields, f)
	}
	at := map[string]int{"": int(sizes.Sizeof(s))}
	for i, offset := range sizes.Offsetsof(fields) {
		at[fields[i].Name()] = int(offset)
	}
	return at
}
