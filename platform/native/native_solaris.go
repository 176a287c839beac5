package native

import (
	"fmt"
	"io/fs"

	"github.com/pidometer/pidometer/platform"
	"github.com/pidometer/pidometer/platform/solaris"
)

func open(o Options) (platform.Backend, error) {
	if o.Root != "" && o.Root != "/" {
		return nil, fmt.Errorf("root %s: illumos and Solaris tell of themselves in /dev/kstat too, of which there is one: leave the root out: %w", o.Root, fs.ErrInvalid)
	}
	return solaris.New(solaris.Options{AllDevices: o.AllDevices, Budget: o.Budget})
}
