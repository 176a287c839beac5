package arrows

import (
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode"
)

var (
	fence    = regexp.MustCompile("(?ms)^```.*?^```$")
	code     = regexp.MustCompile("`[^`\n]*`")
	link     = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading  = regexp.MustCompile(`(?m)^#+ +(.+?)\s*$`)
	external = regexp.MustCompile(`^[a-z]+:`)
)

// A link within this repository leads to a file, and to a heading in it.
func TestLinks(t *testing.T) {
	err := walk(func(name string, src []byte) error {
		if path.Ext(name) != ".md" {
			return nil
		}
		for _, l := range link.FindAllStringSubmatch(prose(src), -1) {
			checkLink(t, name, l[1])
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// prose is a text without what it quotes.
func prose(src []byte) string {
	return code.ReplaceAllString(fence.ReplaceAllString(string(src), ""), "")
}

func checkLink(t *testing.T, from, link string) {
	if external.MatchString(link) {
		return
	}
	file, anchor, _ := strings.Cut(link, "#")
	to := path.Join(path.Dir(from), file)
	if file == "" {
		to = from
	}
	if _, err := os.Stat(filepath.Join(root, to)); err != nil {
		t.Errorf("%s leads to %s, which is not there", from, link)
		return
	}
	if anchor == "" {
		return
	}
	src, err := os.ReadFile(filepath.Join(root, to))
	if err != nil || !anchors(src)[anchor] {
		t.Errorf("%s leads to %s, but %s has no such heading", from, link, to)
	}
}

// anchors returns what the headings of a text are linked by.
func anchors(src []byte) map[string]bool {
	all := map[string]bool{}
	for _, h := range heading.FindAllStringSubmatch(fence.ReplaceAllString(string(src), ""), -1) {
		all[strings.Map(slug, h[1])] = true
	}
	return all
}

func slug(r rune) rune {
	switch {
	case r == ' ':
		return '-'
	case r == '-' || r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r):
		return unicode.ToLower(r)
	}
	return -1
}
