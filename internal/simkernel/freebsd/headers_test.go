package freebsd

import (
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pidometer/pidometer/internal/simkernel"
)

// What no type of golang.org/x/sys shows has the sizes that the headers check at compile
// time (KINFO_PROC_SIZE), or that others measured on machines: the Rust crate libc, which
// compares itself with the headers there.
func TestSizes(t *testing.T) {
	for _, c := range []struct {
		s    *simkernel.Struct
		size int
	}{{kinfoProc, 1088}, {rusage, 144}, {xfile, 128}, {xinpcb, 400}, {xtcpcb, 744}, {xinpgen, 64}, {devstat, 288}, {ifMsghdr, 168}, {statfs, 2344}, {xswdev, 32}} {
		if c.s.Size != c.size {
			t.Errorf("%s has %d bytes, want %d", c.s.Name, c.s.Size, c.size)
		}
	}
}

// The declarations, laid out by the rules of the C ABI, agree with the types that
// golang.org/x/sys/unix has of the same structures, on both architectures.
func TestDeclarationsAgreeWithXSys(t *testing.T) {
	for _, arch := range []string{"amd64", "arm64"} {
		for _, c := range []struct {
			name string
			s    *simkernel.Struct
		}{{"Statfs_t", statfs}, {"ifMsghdr", ifMsghdr}, {"ifData", ifData}, {"Rusage", rusage}} {
			offsets, size := xsys(t, arch, c.name)
			if size != c.s.Size {
				t.Errorf("%s %s has %d bytes, in x/sys %d", arch, c.name, c.s.Size, size)
			}
			for name, at := range offsets {
				if got := c.s.Offset(name); got != at {
					t.Errorf("%s %s.%s is at %d, in x/sys at %d", arch, c.name, name, got, at)
				}
			}
			if len(offsets) < 6 {
				t.Errorf("%s %s has %d members", arch, c.name, len(offsets))
			}
		}
	}
}

// xsys returns where a type of x/sys has its members, by their names in C.
func xsys(t *testing.T, arch, name string) (offsets map[string]int, size int) {
	t.Helper()
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "golang.org/x/sys").Output()
	if err != nil {
		t.Fatal(err)
	}
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, filepath.Join(strings.TrimSpace(string(dir)), "unix", "ztypes_freebsd_"+arch+".go"), nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	config := types.Config{Sizes: types.SizesFor("gc", arch), Importer: importer.Default(), Error: func(error) {}}
	pkg, _ := config.Check("unix", fset, []*ast.File{file}, nil) // of one file alone: not all is known
	of, ok := pkg.Scope().Lookup(name).Type().Underlying().(*types.Struct)
	if !ok {
		t.Fatalf("%s is no structure", name)
	}
	var fields []*types.Var
	for f := range of.Fields() {
		fields = append(fields, f)
	}
	offsets = map[string]int{}
	for i, at := range config.Sizes.Offsetsof(fields) {
		if name := strings.ToLower(fields[i].Name()); name != "_" && name != "spare" {
			offsets[name] = int(at)
		}
	}
	return offsets, int(config.Sizes.Sizeof(of))
}
