package arrows

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

const (
	root   = "../.."
	module = "github.com/pidometer/pidometer"
)

// goFile is one Go file of this module, whatever its build constraints.
type goFile struct {
	path string // from the root
	test bool
	src  []byte
	ast  *ast.File
}

// folder is all Go files of one folder.
type folder struct {
	path  string // from the root, which is the import path within this module
	files []*goFile
}

var fset = token.NewFileSet()

var load = sync.OnceValues(func() (folders []*folder, err error) {
	byPath := map[string]*folder{}
	err = walk(func(name string, src []byte) error {
		if path.Ext(name) != ".go" || slices.Contains(strings.Split(name, "/"), "testdata") {
			return nil
		}
		parsed, err := parser.ParseFile(fset, name, src, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		dir := path.Dir(name)
		if byPath[dir] == nil {
			byPath[dir] = &folder{path: dir}
			folders = append(folders, byPath[dir])
		}
		f := &goFile{name, strings.HasSuffix(name, "_test.go"), src, parsed}
		byPath[dir].files = append(byPath[dir].files, f)
		return nil
	})
	return folders, err
})

// walk calls f for every text file of this module, in the order of their names.
// Hidden folders other than that of the CI, and modules within the module, are not
// part of it.
func walk(f func(name string, src []byte) error) error {
	return fs.WalkDir(os.DirFS(root), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if name != "." && isOther(name) {
				return fs.SkipDir
			}
			return nil
		}
		if !d.Type().IsRegular() {
			return nil
		}
		src, err := os.ReadFile(filepath.Join(root, name))
		if err != nil || bytes.IndexByte(src, 0) >= 0 {
			return err
		}
		return f(name, src)
	})
}

func isOther(dir string) bool {
	base := path.Base(dir)
	if base != ".ci" && strings.HasPrefix(base, ".") {
		return true
	}
	_, err := os.Stat(filepath.Join(root, dir, "go.mod"))
	return err == nil
}

// packages returns the folders of this module that hold Go files.
func packages(t *testing.T) []*folder {
	t.Helper()
	folders, err := load()
	if err != nil {
		t.Fatal(err)
	}
	return folders
}

// isPublic reports whether users can import a package.
func (f *folder) isPublic() bool {
	return !slices.Contains(strings.Split(f.path, "/"), "internal") && f.name() != "main" && !f.isTest()
}

// isTest reports whether a folder holds nothing but tests.
func (f *folder) isTest() bool { return len(f.sources()) == 0 }

func (f *folder) name() string {
	return strings.TrimSuffix(f.files[0].ast.Name.Name, "_test")
}

// sources returns the files that are no tests.
func (f *folder) sources() (files []*goFile) { return f.choose(false) }

// tests returns the files that are.
func (f *folder) tests() (files []*goFile) { return f.choose(true) }

func (f *folder) choose(test bool) (files []*goFile) {
	for _, file := range f.files {
		if file.test == test {
			files = append(files, file)
		}
	}
	return files
}

// functions returns what a file declares.
func (f *goFile) functions() (functions []*ast.FuncDecl) {
	for _, d := range f.ast.Decls {
		if fn, ok := d.(*ast.FuncDecl); ok {
			functions = append(functions, fn)
		}
	}
	return functions
}

// at names the place of a node.
func at(n ast.Node) string {
	p := fset.Position(n.Pos())
	return p.String()
}
