package arrows

import (
	"go/ast"
	"regexp"
	"strings"
	"testing"
)

// A package says once what it is for.
func TestPackageDocs(t *testing.T) {
	for _, f := range packages(t) {
		var docs []string
		for _, file := range f.sources() {
			if file.ast.Doc != nil {
				docs = append(docs, file.ast.Doc.Text())
			}
		}
		want := "Package " + f.name() + " "
		if f.name() == "main" {
			want = "Command "
		}
		switch {
		case f.isTest():
		case len(docs) != 1:
			t.Errorf("%s has %d package comments", f.path, len(docs))
		case !strings.HasPrefix(docs[0], want):
			t.Errorf("the package comment of %s begins with %.20q, not with %q", f.path, docs[0], want)
		}
	}
}

// What users see is explained, in a sentence that begins with its name.
func TestExportedDocs(t *testing.T) {
	for _, f := range packages(t) {
		if !f.isPublic() {
			continue
		}
		for _, file := range f.sources() {
			for _, d := range file.ast.Decls {
				checkDoc(t, d)
			}
		}
	}
}

func checkDoc(t *testing.T, d ast.Decl) {
	switch d := d.(type) {
	case *ast.FuncDecl:
		if d.Name.IsExported() && isExported(receiver(d)) {
			checkSentence(t, d, d.Name.Name, d.Doc)
		}
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			checkSpec(t, d, spec)
		}
	}
}

// isExported takes no receiver for an exported one.
func isExported(receiver string) bool { return receiver == "" || ast.IsExported(receiver) }

// receiver returns the name of the type that a method belongs to.
func receiver(d *ast.FuncDecl) string {
	if d.Recv == nil {
		return ""
	}
	typ := d.Recv.List[0].Type
	for {
		switch t := typ.(type) {
		case *ast.StarExpr:
			typ = t.X
		case *ast.IndexExpr:
			typ = t.X
		case *ast.IndexListExpr:
			typ = t.X
		case *ast.Ident:
			return t.Name
		default:
			return ""
		}
	}
}

// checkSpec lets a group of constants or variables be explained as one.
func checkSpec(t *testing.T, d *ast.GenDecl, spec ast.Spec) {
	switch s := spec.(type) {
	case *ast.TypeSpec:
		doc := s.Doc
		if doc == nil && !d.Lparen.IsValid() {
			doc = d.Doc
		}
		if s.Name.IsExported() {
			checkSentence(t, s, s.Name.Name, doc)
		}
	case *ast.ValueSpec:
		name := s.Names[0]
		switch {
		case !name.IsExported():
		case d.Lparen.IsValid() && s.Doc == nil:
			if s.Comment == nil && d.Doc == nil {
				t.Errorf("%s: %s has no comment, and neither has its group", at(s), name.Name)
			}
		case d.Lparen.IsValid():
			checkSentence(t, s, name.Name, s.Doc)
		default:
			checkSentence(t, s, name.Name, d.Doc)
		}
	}
}

func checkSentence(t *testing.T, n ast.Node, name string, doc *ast.CommentGroup) {
	if doc == nil {
		t.Errorf("%s: %s has no comment", at(n), name)
		return
	}
	begin := regexp.MustCompile(`^(An? |The )?` + name + `\b`)
	if !begin.MatchString(doc.Text()) {
		t.Errorf("%s: the comment of %s begins with %.20q, not with its name", at(n), name, doc.Text())
	}
}

var example = regexp.MustCompile(`^Example(_[a-z]\w*)?$|^Example[A-Z]`)

// A package that users import shows how.
func TestExamples(t *testing.T) {
	for _, f := range packages(t) {
		if !f.isPublic() || hasFunction(f.tests(), example) {
			continue
		}
		t.Errorf("%s has no Example", f.path)
	}
}

func hasFunction(files []*goFile, name *regexp.Regexp) bool {
	for _, file := range files {
		for _, fn := range file.functions() {
			if fn.Recv == nil && name.MatchString(fn.Name.Name) {
				return true
			}
		}
	}
	return false
}
