package inspect

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/pidometer/pidometer/exporter/cmd/pidometer/internal/table"
)

// JSON writes the document on one line.
func JSON(w io.Writer, document any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e.Encode(document)
}

// listing is a column of words and what is known of each.
type listing struct {
	out bytes.Buffer
	tab *tabwriter.Writer
}

func newListing() *listing {
	l := new(listing)
	l.tab = tabwriter.NewWriter(&l.out, 0, 0, 2, ' ', 0)
	return l
}

// line writes a word and its parts; what is empty is left out, and so is a line
// of which nothing is known.
func (l *listing) line(word string, parts ...string) {
	parts = slices.DeleteFunc(parts, func(p string) bool { return p == "" })
	if len(parts) > 0 {
		fmt.Fprintf(l.tab, "%s\t%s\n", word, strings.Join(parts, "  "))
	}
}

// rows writes a table under a word, with a count; a list that is empty or unknown
// is left out.
func (l *listing) rows(word string, titles []string, rows [][]string) {
	if len(rows) == 0 {
		return
	}
	l.tab.Flush()
	fmt.Fprintf(&l.out, "\n%s (%d)\n", word, len(rows))
	t := tabwriter.NewWriter(&l.out, 0, 0, 2, ' ', 0)
	for _, cells := range append([][]string{titles}, rows...) {
		fmt.Fprintln(t, "  "+strings.Join(cells, "\t"))
	}
	t.Flush()
}

func (l *listing) write(w io.Writer) error {
	l.tab.Flush()
	_, err := w.Write(table.TrimLines(l.out.Bytes()))
	return err
}

// Listing writes the document for people.
func (p *Process) Listing(w io.Writer) error {
	l := newListing()
	p.who(l)
	p.uses(l)
	p.has(l)
	if len(p.Missing) > 0 {
		var why []string
		for member, reason := range p.Missing {
			why = append(why, member+": "+reason)
		}
		slices.Sort(why)
		l.line("missing", strings.Join(why, ", "))
	}
	p.details(l)
	return l.write(w)
}

func (p *Process) who(l *listing) {
	l.line("pid", number(&p.PID))
	if p.ParentPID != nil {
		l.line("parent", number(p.ParentPID), parenthesized(p.parent))
	}
	l.line("name", text(p.ExecutableName))
	l.line("executable", text(p.ExecutablePath))
	l.line("working directory", text(p.WorkingDirectory))
	if p.Arguments != nil {
		l.line("command", quoted(*p.Arguments))
	}
	l.line("started", minute(p.CreationTime))
	l.line("state", text(p.State))
	l.line("user", text(p.Owner))
	l.line("user ids", p.Users.String())
	l.line("group ids", p.Groups.String())
	l.line("terminal", text(p.Terminal))
}

func (p *Process) uses(l *listing) {
	if c := p.CPU; c != nil {
		l.line("cpu time", table.Hours(c.User+c.System))
		l.line("cpu times", "user "+table.Hours(c.User), "system "+table.Hours(c.System),
			"children user "+table.Hours(c.ChildUser), "children system "+table.Hours(c.ChildSystem))
	}
	if p.Affinity != nil {
		l.line("cpu affinity", fmt.Sprint(*p.Affinity))
	}
	if p.CPUNumber != nil {
		l.line("cpu", strconv.Itoa(*p.CPUNumber))
	}
	l.line("memory", sizes(p.Memory, "rss", "virtual", "shared", "text", "data", "uss", "pss", "swap")...)
	var shares []string
	for _, name := range []string{"rss", "uss", "pss", "swap"} {
		if v, ok := p.Share[name]; ok {
			shares = append(shares, name+" "+strconv.FormatFloat(v*100, 'f', 2, 64))
		}
	}
	l.line("memory %", shares...)
	l.line("disk", counts(p.Disk, "read_operations", "write_operations", "read_bytes", "write_bytes")...)
	l.line("context switches", counts(p.Switches, "voluntary", "involuntary")...)
	l.line("page faults", counts(p.Faults, "minor", "major")...)
}

func (p *Process) has(l *listing) {
	if p.Nice != nil {
		l.line("nice", strconv.Itoa(*p.Nice))
	}
	if p.PriorityClass != nil {
		l.line("priority class", text(p.PriorityClass))
	}
	if p.IOPriority != nil {
		l.line("io priority", p.IOPriority.Class, strconv.Itoa(p.IOPriority.Level))
	}
	l.line("threads", number(p.Threads))
	l.line("descriptors", number(p.FileDescriptors))
}

// String returns the IDs that are known behind their names.
func (i *ids) String() string {
	if i == nil {
		return ""
	}
	told := fmt.Sprintf("real %d  effective %d", i.Real, i.Effective)
	if i.Saved == nil {
		return told
	}
	return fmt.Sprintf("%s  saved %d", told, *i.Saved)
}

func (p *Process) details(l *listing) {
	l.rows("children", []string{"PID", "NAME"}, cells(p.Children, func(r relative) []string {
		return []string{number(&r.PID), table.Printable(r.Name)}
	}))
	l.rows("open files", []string{"FD", "POSITION", "MODE", "PATH"}, cells(p.OpenFiles, func(f openFile) []string {
		return []string{strconv.Itoa(f.FD), dash(number(f.Position)), dash(f.Mode), table.Printable(f.Path)}
	}))
	l.rows("connections", []string{"FD", "PROTO", "LOCAL", "REMOTE", "STATE"}, cells(p.Connections, connectionCells))
	l.rows("threads", []string{"TID", "USER", "SYSTEM", "NAME"}, cells(p.ThreadList, func(t thread) []string {
		return []string{number(&t.ID), table.Hours(t.User), table.Hours(t.System), table.Printable(t.Name)}
	}))
	l.rows("limits", []string{"NAME", "SOFT", "HARD"}, cells(p.Limits, func(m limit) []string {
		return []string{m.Name, infinite(m.Soft), infinite(m.Hard)}
	}))
	l.rows("memory maps", []string{"RSS", "PSS", "USS", "SIZE", "PATH"}, cells(p.Maps, func(m mapGroup) []string {
		return []string{dash(size(m.RSS)), dash(size(m.PSS)), dash(size(m.USS)), size(&m.Size), table.Printable(m.Path)}
	}))
	l.rows("environment, as it was at exec: later changes are not shown", []string{"VARIABLE"}, cells(p.Environment, func(s string) []string {
		return []string{table.Printable(s)}
	}))
}

// connectionCells shows * for no peer and NONE for a socket without a state.
func connectionCells(c connection) []string {
	state := strings.ToUpper(c.State)
	if state == "" {
		state = "NONE"
	}
	peer := c.Peer
	if peer == "" {
		peer = "*"
	}
	return []string{strconv.Itoa(c.FD), c.Transport, dash(table.Printable(c.Local)), peer, state}
}

func cells[T any](list *[]T, form func(T) []string) (rows [][]string) {
	if list == nil {
		return nil
	}
	for _, one := range *list {
		rows = append(rows, form(one))
	}
	return rows
}

func number(n *uint64) string {
	if n == nil {
		return ""
	}
	return strconv.FormatUint(*n, 10)
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return table.Printable(*s)
}

func parenthesized(s string) string {
	if s == "" {
		return ""
	}
	return "(" + table.Printable(s) + ")"
}

// quoted shows where an argument ends, where that is not plain.
func quoted(arguments []string) string {
	shown := make([]string, len(arguments))
	for i, a := range arguments {
		if shown[i] = table.Printable(a); a == "" || strings.ContainsAny(a, " '\"\t\n") {
			shown[i] = "'" + shown[i] + "'"
		}
	}
	return strings.Join(shown, " ")
}

func size(n *uint64) string {
	if n == nil {
		return ""
	}
	return table.Bytes(float64(*n))
}

func sizes(all map[string]uint64, names ...string) (parts []string) {
	for _, name := range names {
		if v, ok := all[name]; ok {
			parts = append(parts, name+" "+table.Bytes(float64(v)))
		}
	}
	return parts
}

func counts(all map[string]uint64, names ...string) (parts []string) {
	for _, name := range names {
		if v, ok := all[name]; ok {
			parts = append(parts, strings.ReplaceAll(name, "_", " ")+" "+strconv.FormatUint(v, 10))
		}
	}
	return parts
}

func infinite(n *uint64) string {
	if n == nil {
		return "infinity"
	}
	return number(n)
}

func dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
