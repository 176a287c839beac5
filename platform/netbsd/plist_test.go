package netbsd

import (
	"encoding/xml"
	"math"
	"strings"
	"testing"

	"github.com/pidometer/pidometer/internal/simkernel/bsd"
)

// nodes are what a value is read as, the list around it aside.
func nodes(value string) (all []nodeKind) {
	p, ok := openPlist([]byte("<plist>" + value + "</plist>"))
	for ok {
		n := p.next()
		all = append(all, n.kind)
		ok = n.kind != nodeBad && p.depth > 0
	}
	return all
}

// What reads as a value, and what is refused.
func TestNodes(t *testing.T) {
	deep := strings.Repeat("<array>", plistDepth)
	for value, want := range map[string][]nodeKind{
		"<true/>":                    {nodeTrue},
		"<false/>":                   {nodeFalse},
		"<true></true>":              {nodeBad},
		"<string></string>":          {nodeWord},
		"<string/>":                  {nodeWord},
		"<string>a</string":          {nodeBad},
		"<string>a</key>":            {nodeBad},
		"<string>a<b/></string>":     {nodeBad},
		"<string>&nbsp;</string>":    {nodeBad},
		"<string>&lt</string>":       {nodeBad},
		"<string>&</string>":         {nodeBad},
		"<string a=\"b\">c</string>": {nodeBad},
		"<integer>1</integer>":       {nodeNumber},
		"<integer/>":                 {nodeBad},
		"<integer>1 </integer>":      {nodeBad},
		"<dict/>":                    {nodeDict, nodeClose},
		"<array/>":                   {nodeArray, nodeClose},
		"<array><true/></array>":     {nodeArray, nodeTrue, nodeClose},
		"<array><dict/></array>":     {nodeArray, nodeDict, nodeClose, nodeClose},
		"<array></dict>":             {nodeArray, nodeBad},
		"<dict></array>":             {nodeDict, nodeBad},
		"<dict></key>":               {nodeDict, nodeBad},
		"</dict>":                    {nodeBad},
		"<!-- a --><true/>":          {nodeTrue},
		"<!-- a <true/>":             {nodeBad},
		"<![CDATA[a]]><true/>":       {nodeBad},
		"<real>1.5</real>":           {nodeOther},
		"<date/>":                    {nodeOther},
		"<a><b><c/>x</b></a>":        {nodeOther},
		"<a><b>":                     {nodeBad},
		"<a>":                        {nodeBad},
		"<a>" + strings.Repeat("<a>", plistDepth) + strings.Repeat("</a>", plistDepth+1): {nodeBad},
		"":     {nodeBad},
		"text": {nodeBad},
		"<":    {nodeBad},
		"<>":   {nodeBad},
		"</>":  {nodeBad},
		"<A/>": {nodeBad},
		deep + "<array/>" + strings.Repeat("</array>", plistDepth): append(slicesOf(nodeArray, plistDepth), nodeBad),
		deep + strings.Repeat("</array>", plistDepth):              append(slicesOf(nodeArray, plistDepth), slicesOf(nodeClose, plistDepth)...),
	} {
		if got := nodes(value); string(kinds(got)) != string(kinds(want)) {
			t.Errorf("%s: %v, want %v", value, got, want)
		}
	}
}

func slicesOf(kind nodeKind, n int) (all []nodeKind) {
	for range n {
		all = append(all, kind)
	}
	return all
}

func kinds(all []nodeKind) (b []byte) {
	for _, k := range all {
		b = append(b, '0'+byte(k))
	}
	return b
}

// Lists whose dictionaries and arrays are none are refused as a whole.
func TestListsRefused(t *testing.T) {
	for _, value := range []string{
		"<dict><true/></dict>", "<dict><key>a</key></dict>", "<dict><key>a</key><key>b</key></dict>", "<dict><key>a</key>",
		"<dict><key>a</key><array><key>b</key></array></dict>", "<dict><key>a</key><array><dict><key>b</key></dict></array></dict>",
		"<dict><key>a</key><array><string>b</string>", "<dict><key>a</key><dict><key>", "<array/>", "<dict/><dict/>",
	} {
		if got, ok := decodeAll([]byte("<plist>" + value + "</plist>")); ok {
			t.Errorf("%s: %+v", value, got)
		}
	}
	for _, list := range []string{"</plist><dict/></plist>", "<plist/><dict/></plist>", "<plist><dict/>", "<plist><dict/></dict>", "<plist><dict/><plist>"} {
		if got, ok := decodeAll([]byte(list)); ok {
			t.Errorf("%s: %+v", list, got)
		}
	}
}

func TestNumbers(t *testing.T) {
	for text, want := range map[string]int64{
		"0": 0, "7": 7, "-7": -7, "0x1e": 30, "0xffffffffffffffff": -1, "0X1": bad, "9223372036854775807": math.MaxInt64,
		"-9223372036854775808": math.MinInt64, "9223372036854775808": bad, "0x10000000000000000": bad, "0x": bad, "0x-1": bad, "-0x1": bad,
		"": bad, "-": bad, "+1": bad, "010": bad, "-0": bad, "-010": bad, "1_000": bad, "1.5": bad, " 1": bad, "1 ": bad, "--1": bad,
	} {
		if got, ok := decodeNumber([]byte(text)); ok != (want != bad) || ok && got != want {
			t.Errorf("%q: %d, %v", text, got, ok)
		}
	}
}

// bad stands for what is no number.
const bad = -4711

// What the made-up kernel writes is XML.
func TestWritten(t *testing.T) {
	var root element
	if err := xml.Unmarshal([]byte(bsd.Plist(map[string]any{"<a&b>": []any{"<c&d>", int64(-1), uint64(31), true}})), &root); err != nil {
		t.Fatal(err)
	}
	dict := root.Inside[0]
	array := dict.Inside[1]
	for i, want := range []string{"<c&d>", "-1", "0x1f", ""} {
		if dict.Inside[0].Text != "<a&b>" || array.Inside[i].Text != want {
			t.Errorf("%+v", root)
		}
	}
}
