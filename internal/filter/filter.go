// Package filter parses what a user says of the processes to see, such as
// name=nginx* or memory>=100MiB, and decides about one process at a time.
package filter

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pidometer/pidometer/platform"
)

// Condition is one thing that must hold of a process.
type Condition struct {
	// Want is what must be read to decide.
	Want platform.Want
	// Tree is the PID whose descendants are meant, itself included; 0 if the
	// condition is of another kind. It takes the parents of all processes.
	Tree uint64

	text string
	not  bool
	test func(*platform.Sample) (holds, known bool)
}

// Holds reports whether the condition holds of a process. What could not be read,
// for want of privilege or because the process has none, holds for neither a
// condition nor its opposite: the process is not seen.
func (c *Condition) Holds(s *platform.Sample) bool {
	if c.Tree != 0 {
		return true // decided by Belongs
	}
	holds, known := c.test(s)
	return known && holds != c.not
}

// Belongs decides a condition on a tree, given whether the process is in it.
func (c *Condition) Belongs(inTree bool) bool { return inTree != c.not }

// String returns the condition as it was written.
func (c *Condition) String() string { return c.text }

// subject is one word that a condition may begin with.
type subject struct {
	name  string
	does  string // for the error that lists them
	order bool   // compares with < and >, not with =
	parse func(value string) (Condition, error)
}

var subjects = []subject{
	{"name", "name=GLOB", false, textIs(platform.ProcessCommand)},
	{"state", "state=running|sleeping|stopped|defunct", false, stateIs},
	{"age", "age>=DURATION", true, ageIs},
	{"memory", "memory>=SIZE", true, memoryIs},
	{"tree", "tree=PID", false, treeIs},
	{"executable", "executable=GLOB", false, executableIs},
	{"owner", "owner=NAME|UID", false, ownerIs},
	{"cgroup", "cgroup=GLOB", false, textIs(platform.ProcessCgroup)},
	{"unit", "unit=GLOB", false, textIs(platform.ProcessUnit)},
	{"env", "env=NAME or env=NAME=GLOB", false, environmentIs},
}

// Parse reads one condition: a word, one of = != >= <, and a value. Alternatives
// are separated by |. In a GLOB a star stands for any run of characters.
func Parse(s string) (Condition, error) {
	i := strings.IndexAny(s, "=!<>")
	if i < 0 {
		return Condition{}, usage(s)
	}
	word, operator, value := strings.TrimSpace(s[:i]), s[i:i+1], s[i+1:]
	if operator != "=" && operator != "<" || operator == "<" && strings.HasPrefix(value, "=") {
		if !strings.HasPrefix(value, "=") || operator == "<" {
			return Condition{}, usage(s)
		}
		operator, value = operator+"=", value[1:]
	}
	for _, subject := range subjects {
		if subject.name == word {
			return subject.condition(s, operator, strings.TrimSpace(value))
		}
	}
	return Condition{}, usage(s)
}

func (u *subject) condition(text, operator, value string) (Condition, error) {
	if u.order != (operator == ">=" || operator == "<") || value == "" {
		return Condition{}, fmt.Errorf("filter %q: write %s", text, u.does)
	}
	c, err := u.parse(value)
	if err != nil {
		return Condition{}, fmt.Errorf("filter %q: %w; write %s", text, err, u.does)
	}
	c.text, c.not = text, operator == "!=" || operator == "<"
	return c, nil
}

func usage(s string) error {
	var forms []string
	for _, u := range subjects {
		forms = append(forms, u.does)
	}
	return fmt.Errorf("filter %q is none of %s", s, strings.Join(forms, ", "))
}

// ParseAll reads conditions and sorts them by what they cost, the cheapest first,
// so that a process which fails one is not read any further.
func ParseAll(all []string) ([]Condition, error) {
	conditions := make([]Condition, 0, len(all))
	for _, s := range all {
		c, err := Parse(s)
		if err != nil {
			return nil, err
		}
		conditions = append(conditions, c)
	}
	slices.SortStableFunc(conditions, func(a, b Condition) int { return rank(a) - rank(b) })
	return conditions, nil
}

// rank is the place of a condition's word in the table, which goes from cheap to
// dear.
func rank(c Condition) int {
	return slices.IndexFunc(subjects, func(u subject) bool { return strings.HasPrefix(c.text, u.name) })
}

// either reports whether a value fits one of the alternatives.
func either(alternatives string, fits func(string) bool) bool {
	for a := range strings.SplitSeq(alternatives, "|") {
		if fits(a) {
			return true
		}
	}
	return false
}
