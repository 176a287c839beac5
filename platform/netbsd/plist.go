package netbsd

import (
	"bytes"
	"strconv"
)

// An XML property list, as libprop writes it (_prop_object_externalize_header and its like
// in prop_object.c, with the type of a number in prop_number.c): elements without attributes
// but for plist's own, numbers that are signed in decimal and those that are not in
// hexadecimal, and three characters that are spelled out. What libprop reads beyond that,
// comments between elements and two more such characters, is read too.

// node is the next thing in a list.
type node struct {
	kind nodeKind
	text []byte // of a word: within the list, which is lent
	v    int64  // of a number
}

type nodeKind uint8

const (
	nodeBad nodeKind = iota // it does not read as one, or breaks off
	nodeKey
	nodeWord
	nodeNumber
	nodeTrue
	nodeFalse
	nodeDict  // the start of one
	nodeArray // likewise
	nodeClose // the end of what was started last
	nodeOther // of a type that is not known, as a whole
)

// plistDepth bounds what may be in what. Those of envsys(4) have four: devices, their sensors,
// what each says, and properties of a device.
const plistDepth = 8

// plist is a list while it is read. Words are decoded where they stand, so that a list reads
// once, and nothing is kept beside it.
type plist struct {
	b     []byte
	at    int
	depth int
	open  [plistDepth]bool // of what is open: whether it is a dictionary
	empty bool             // what was opened last has nothing in it, and its end was read
}

// openPlist passes by what is before the value of a list.
func openPlist(b []byte) (p plist, ok bool) {
	if end := bytes.IndexByte(b, 0); end >= 0 { // it is a string of C
		b = b[:end]
	}
	p.b = b
	name, kind, ok := p.tag()
	return p, ok && kind == tagStart && string(name) == "plist"
}

// finish reports whether a list ends where its value does.
func (p *plist) finish() bool {
	name, kind, ok := p.tag()
	p.space()
	return ok && kind == tagEnd && string(name) == "plist" && p.at == len(p.b)
}

// space passes by white space.
func (p *plist) space() {
	for p.at < len(p.b) && (p.b[p.at] == ' ' || p.b[p.at] == '\t' || p.b[p.at] == '\n') {
		p.at++
	}
}

type tagKind uint8

const (
	tagStart tagKind = iota
	tagEnd
	tagEmpty
)

// asides are what a list has beside its elements: how they begin, and end.
var asides = [...]struct{ start, end string }{{"<!--", "-->"}, {"<?", "?>"}, {"<!DOCTYPE", ">"}}

// aside passes by one of these. It reports whether there was a whole one.
func (p *plist) aside() bool {
	for _, a := range asides {
		rest := p.b[p.at:]
		if len(rest) < len(a.start) || string(rest[:len(a.start)]) != a.start {
			continue
		}
		end := bytes.Index(rest[len(a.start):], []byte(a.end))
		if end < 0 {
			return false
		}
		p.at += len(a.start) + end + len(a.end)
		return true
	}
	return false
}

// tag reads the next tag.
func (p *plist) tag() (name []byte, kind tagKind, ok bool) {
	for p.space(); p.aside(); p.space() {
	}
	if p.at >= len(p.b) || p.b[p.at] != '<' {
		return nil, 0, false
	}
	end := bytes.IndexByte(p.b[p.at:], '>')
	if end < 2 {
		return nil, 0, false
	}
	name = p.b[p.at+1 : p.at+end]
	p.at += end + 1
	switch {
	case name[0] == '/':
		name, kind = name[1:], tagEnd
	case name[len(name)-1] == '/':
		name, kind = name[:len(name)-1], tagEmpty
	}
	word, _, attributes := bytes.Cut(name, []byte(" "))
	return word, kind, isName(word) && (!attributes || kind == tagStart && string(word) == "plist")
}

// isName reports whether an element may be called so: lower-case letters make all of them.
func isName(b []byte) bool {
	for _, c := range b {
		if c < 'a' || c > 'z' {
			return false
		}
	}
	return len(b) > 0
}

// next reads what comes next.
func (p *plist) next() node {
	if p.empty {
		p.empty = false
		p.depth--
		return node{kind: nodeClose}
	}
	name, kind, ok := p.tag()
	switch {
	case !ok:
		return node{}
	case kind == tagEnd:
		return p.close(name)
	case string(name) == "dict" || string(name) == "array":
		return p.start(string(name) == "dict", kind)
	case string(name) == "true" || string(name) == "false":
		return p.truth(string(name) == "true", kind)
	}
	if leaf := leafOf(name); leaf != nodeOther {
		return p.leaf(leaf, name, kind)
	}
	return p.other(name, kind)
}

func leafOf(name []byte) nodeKind {
	switch string(name) {
	case "key":
		return nodeKey
	case "string":
		return nodeWord
	case "integer":
		return nodeNumber
	}
	return nodeOther
}

// start opens a dictionary or an array, unless there are too many in each other.
func (p *plist) start(dict bool, kind tagKind) node {
	if p.depth == plistDepth {
		return node{}
	}
	p.open[p.depth] = dict
	p.depth++
	p.empty = kind == tagEmpty
	if dict {
		return node{kind: nodeDict}
	}
	return node{kind: nodeArray}
}

// close ends what was opened last.
func (p *plist) close(name []byte) node {
	dict := string(name) == "dict"
	if p.depth == 0 || p.open[p.depth-1] != dict || !dict && string(name) != "array" {
		return node{}
	}
	p.depth--
	return node{kind: nodeClose}
}

// truth is an element that is all its value. What is not empty ends at once.
func (p *plist) truth(is bool, kind tagKind) node {
	if kind == tagStart {
		return node{} // libprop refuses it too
	}
	if is {
		return node{kind: nodeTrue}
	}
	return node{kind: nodeFalse}
}

// leaf reads an element that holds text alone.
func (p *plist) leaf(kind nodeKind, name []byte, tag tagKind) (n node) {
	var text []byte
	if tag == tagStart {
		end := bytes.IndexByte(p.b[p.at:], '<')
		if end < 0 {
			return node{}
		}
		text = p.b[p.at : p.at+end]
		p.at += end
		if !p.pass("</") || !p.pass(string(name)) || !p.pass(">") {
			return node{}
		}
	}
	ok := true
	if n.text, ok = unescape(text); ok && kind == nodeNumber {
		n.v, ok = decodeNumber(n.text)
	}
	if ok {
		n.kind = kind
	}
	return n
}

// pass passes by what has to come next.
func (p *plist) pass(s string) bool {
	if rest := p.b[p.at:]; len(rest) < len(s) || string(rest[:len(s)]) != s {
		return false
	}
	p.at += len(s)
	return true
}

// other passes by an element of an unknown type, and what is in it.
func (p *plist) other(name []byte, kind tagKind) node {
	var open [plistDepth][]byte
	depth := 0
	for ok := true; ; name, kind, ok = p.tag() {
		switch {
		case !ok || kind == tagStart && depth == plistDepth:
			return node{}
		case kind == tagStart:
			open[depth] = name
			depth++
		case kind == tagEnd:
			depth--
			if string(open[depth]) != string(name) {
				return node{}
			}
		}
		if depth == 0 {
			return node{kind: nodeOther}
		}
		next := bytes.IndexByte(p.b[p.at:], '<')
		if next < 0 {
			return node{}
		}
		p.at += next
	}
}

// characters are what is spelled out.
var characters = [...]struct {
	word string
	is   byte
}{{"&lt;", '<'}, {"&gt;", '>'}, {"&amp;", '&'}, {"&apos;", '\''}, {"&quot;", '"'}}

// unescape decodes a text where it stands. It only gets shorter.
func unescape(b []byte) (text []byte, ok bool) {
	first := bytes.IndexByte(b, '&')
	if first < 0 {
		return b, true
	}
	text = b[:first]
	for rest := b[first:]; len(rest) > 0; {
		is, length := rest[0], 1
		if is == '&' {
			if is, length = character(rest); length == 0 {
				return nil, false
			}
		}
		text, rest = append(text, is), rest[length:]
	}
	return text, true
}

// character is what a text that begins with & begins with.
func character(b []byte) (is byte, length int) {
	for _, c := range characters {
		if len(b) >= len(c.word) && string(b[:len(c.word)]) == c.word {
			return c.is, len(c.word)
		}
	}
	return 0, 0
}

// decodeNumber reads a number of 64 bits as libprop writes one. A zero in front would make an
// octal one of it for libprop.
func decodeNumber(b []byte) (v int64, ok bool) {
	if digits, hex := bytes.CutPrefix(b, []byte("0x")); hex {
		u, err := strconv.ParseUint(string(digits), 16, 64)
		return int64(u), err == nil
	}
	digits := bytes.TrimPrefix(b, []byte("-"))
	if len(digits) == 0 || digits[0] < '0' || digits[0] > '9' || digits[0] == '0' && len(b) > 1 {
		return 0, false
	}
	v, err := strconv.ParseInt(string(b), 10, 64)
	return v, err == nil
}

// dict reads what is in a dictionary whose start was read: each is called with every key and
// what is its value, or the start of it, which it has to read on or [plist.skip].
func (p *plist) dict(each func(key []byte, value node) bool) bool {
	for {
		key := p.next()
		if key.kind != nodeKey {
			return key.kind == nodeClose
		}
		value := p.next()
		if value.kind == nodeBad || value.kind == nodeKey || value.kind == nodeClose || !each(key.text, value) {
			return false
		}
	}
}

// array is likewise of an array.
func (p *plist) array(each func(value node) bool) bool {
	for {
		value := p.next()
		if value.kind == nodeBad || value.kind == nodeKey || value.kind == nodeClose {
			return value.kind == nodeClose
		}
		if !each(value) {
			return false
		}
	}
}

// skip passes by what is in a value that was started, if it was.
func (p *plist) skip(value node) bool {
	if value.kind != nodeDict && value.kind != nodeArray {
		return true
	}
	for inside := p.depth - 1; p.depth > inside; {
		if p.next().kind == nodeBad {
			return false
		}
	}
	return true
}
