package platformtest

import (
	"os"
	"runtime"
	"testing"

	"github.com/pidometer/pidometer/platform"
	"github.com/pidometer/pidometer/platform/linux"
)

// keeps opens a file that stays open when it is closed.
func keeps() (*Opened, error) {
	o, err := openTemporary()
	if err != nil {
		return nil, err
	}
	closes := o.Close
	o.Close = func() error {
		runtime.KeepAlive(closes) // and with it the file, which is closed when nobody knows it
		return os.Remove(o.Path)
	}
	return o, nil
}

// An answer that is not so is found, by the case that is for it and by no other.
func TestWrongObservers(t *testing.T) {
	for name, c := range map[string]struct {
		wrong func(*Observer)
		found []string
	}{
		"nothing":   {func(*Observer) {}, nil},
		"PID":       {func(o *Observer) { o.PID++ }, []string{"self", "beside a pass"}},
		"parent":    {func(o *Observer) { o.Parent++ }, []string{"self", "beside a pass"}},
		"command":   {func(o *Observer) { o.Command = "another" }, []string{"self", "beside a pass"}},
		"user":      {func(o *Observer) { o.Users = &platform.IDs{Real: 4711, Effective: 4711} }, []string{"self", "beside a pass"}},
		"arguments": {func(o *Observer) { o.Arguments = append([]string{""}, o.Arguments...) }, []string{"arguments"}},
		"files":     {func(o *Observer) { o.Open = keeps }, []string{"files"}},
		"details":   {func(o *Observer) { o.Details = []platform.DetailSource{} }, []string{"declared details"}},
	} {
		found := map[string]bool{}
		for _, i := range inspectorCases() {
			err := i.run(func() (platform.Backend, *Observer, error) {
				b, err := linux.New(linux.Options{})
				o := Caller()
				c.wrong(o)
				return b, o, err
			})
			if err != nil {
				found[i.name] = true
			}
		}
		for _, i := range c.found {
			if !found[i] {
				t.Errorf("%s: %s finds nothing", name, i)
			}
		}
		if len(found) != len(c.found) {
			t.Errorf("%s: %v find something, want %v", name, found, c.found)
		}
	}
}
