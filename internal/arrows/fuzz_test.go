package arrows

import (
	"go/ast"
	"path"
	"strings"
	"testing"
)

// A decoder reads what a kernel, or whoever names a process, writes: each is fed
// anything at all by a fuzz target of its own package, on any system, itself or as
// a part of another decoder.
func TestEveryDecoderIsFuzzed(t *testing.T) {
	for _, f := range packages(t) {
		if _, ok := backends[path.Base(f.path)]; !ok || path.Dir(f.path) != "platform" {
			continue
		}
		fuzzed := reached(f)
		for _, file := range f.sources() {
			for _, fn := range file.functions() {
				if isDecoder(fn.Name.Name) && !fuzzed[fn.Name.Name] {
					t.Errorf("%s: no fuzz target calls %s", at(fn), fn.Name.Name)
				}
			}
		}
	}
}

func isDecoder(name string) bool {
	rest, ok := strings.CutPrefix(name, "decode")
	return ok && ast.IsExported(rest)
}

// reached returns the names that fuzz targets use: themselves, through what else
// the tests declare, or through decoders.
func reached(f *folder) map[string]bool {
	uses := map[string][]string{}
	var open []string
	for _, file := range f.files {
		for name, used := range declared(file) {
			if !file.test && !isDecoder(name) {
				continue
			}
			uses[name] = append(uses[name], used...)
			if file.test && strings.HasPrefix(name, "Fuzz") {
				open = append(open, name)
			}
		}
	}
	seen := map[string]bool{}
	for len(open) > 0 {
		name := open[0]
		open = open[1:]
		if !seen[name] {
			seen[name] = true
			open = append(open, uses[name]...)
		}
	}
	return seen
}

// declared returns what a file declares, each with the names it uses.
func declared(file *goFile) map[string][]string {
	all := map[string][]string{}
	for _, d := range file.ast.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if d.Body == nil { // in assembly
				continue
			}
			all[d.Name.Name] = append(all[d.Name.Name], names(d.Body)...)
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				if v, ok := spec.(*ast.ValueSpec); ok {
					for _, name := range v.Names {
						all[name.Name] = append(all[name.Name], names(v)...)
					}
				}
			}
		}
	}
	return all
}

// names returns the identifiers under a node.
func names(n ast.Node) (names []string) {
	ast.Inspect(n, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok {
			names = append(names, id.Name)
		}
		return true
	})
	return names
}
