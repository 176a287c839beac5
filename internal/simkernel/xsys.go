package simkernel

import (
	"go/ast"
	"go/build"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// XSys returns a structure as golang.org/x/sys/unix has it for a system and an architecture,
// and the sizes there: a witness that others made on machines of the kind.
func XSys(t *testing.T, goos, arch, name string) (*types.Struct, types.Sizes) {
	t.Helper()
	where, err := build.Import("golang.org/x/sys/unix", ".", build.FindOnly)
	if err != nil {
		t.Fatal(err)
	}
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, filepath.Join(where.Dir, "ztypes_"+goos+"_"+arch+".go"), nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	config := types.Config{Sizes: types.SizesFor("gc", arch), Importer: importer.Default(), Error: func(error) {}}
	pkg, _ := config.Check("unix", fset, []*ast.File{file}, nil) // of one file alone: not all is known
	of, ok := pkg.Scope().Lookup(name).Type().Underlying().(*types.Struct)
	if !ok {
		t.Fatalf("%s is no structure", name)
	}
	return of, config.Sizes
}

// AgreesWithXSys compares a declaration with x/sys, on both architectures: its size, and
// where each member is, by its name in C without a prefix. At least so many members have to
// be there.
func (s *Struct) AgreesWithXSys(t *testing.T, goos, name, prefix string, least int) {
	t.Helper()
	for _, arch := range []string{"amd64", "arm64"} {
		of, sizes := XSys(t, goos, arch, name)
		if size := int(sizes.Sizeof(of)); size != s.Size {
			t.Errorf("%s %s has %d bytes, in x/sys %d", arch, name, s.Size, size)
		}
		var fields []*types.Var
		for f := range of.Fields() {
			fields = append(fields, f)
		}
		compared := 0
		for i, at := range sizes.Offsetsof(fields) {
			member := strings.TrimPrefix(strings.ToLower(fields[i].Name()), prefix)
			if member == "_" || member == "spare" || strings.HasPrefix(member, "pad_cgo") {
				continue
			}
			compared++
			if got := s.Offset(member); got != int(at) {
				t.Errorf("%s %s.%s is at %d, in x/sys at %d", arch, name, member, got, at)
			}
		}
		if compared < least {
			t.Errorf("%s %s has %d members", arch, name, compared)
		}
	}
}

// OffsetsAgreeWithXSys compares where the members of a declaration are with a type of x/sys, on
// both architectures, whatever they are called there: those of structures within among them.
func (s *Struct) OffsetsAgreeWithXSys(t *testing.T, goos, name string) {
	t.Helper()
	var got []int
	for _, m := range s.at {
		if m.Count > 0 { // one of none only aligns
			got = append(got, m.Offset)
		}
	}
	slices.Sort(got)
	for _, arch := range []string{"amd64", "arm64"} {
		of, sizes := XSys(t, goos, arch, name)
		if size := int(sizes.Sizeof(of)); size != s.Size {
			t.Errorf("%s %s has %d bytes, in x/sys %d", arch, name, s.Size, size)
		}
		if want := flat(sizes, of, 0); !slices.Equal(got, want) {
			t.Errorf("%s %s has members at\n%v, in x/sys at\n%v", arch, name, got, want)
		}
	}
}

// flat returns the offsets of members. Times and numbers of file systems are one member.
func flat(sizes types.Sizes, s *types.Struct, base int) (all []int) {
	var fields []*types.Var
	for f := range s.Fields() {
		fields = append(fields, f)
	}
	for i, at := range sizes.Offsetsof(fields) {
		f := fields[i]
		inner, ok := f.Type().Underlying().(*types.Struct)
		switch {
		case f.Name() == "_" || strings.HasPrefix(f.Name(), "Pad_cgo"):
		case ok && inner.NumFields() > 3:
			all = append(all, flat(sizes, inner, base+int(at))...)
		default:
			all = append(all, base+int(at))
		}
	}
	return all
}

// XSysNumbers returns the numbers that golang.org/x/sys/unix has names for on a system.
func XSysNumbers(t *testing.T, goos, arch string) map[string]int64 {
	t.Helper()
	where, err := build.Import("golang.org/x/sys/unix", ".", build.FindOnly)
	if err != nil {
		t.Fatal(err)
	}
	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(where.Dir, "zerrors_"+goos+"_"+arch+".go"), nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	numbers := map[string]int64{}
	ast.Inspect(file, func(n ast.Node) bool {
		if s, ok := n.(*ast.ValueSpec); ok && len(s.Names) == 1 && len(s.Values) == 1 {
			text := types.ExprString(s.Values[0])
			if v, err := strconv.ParseInt(text, 0, 64); err == nil {
				numbers[s.Names[0].Name] = v
			}
		}
		return true
	})
	return numbers
}
