package native

import (
	"fmt"
	"io/fs"

	"github.com/pidometer/pidometer/platform"
	"github.com/pidometer/pidometer/platform/freebsd"
)

func open(o Options) (platform.Backend, error) {
	if o.Root != "" && o.Root != "/" {
		return nil, fmt.Errorf("root %s: FreeBSD tells of itself in calls, not in files: leave the root out: %w", o.Root, fs.ErrInvalid)
	}
	return freebsd.New(freebsd.Options{AllDevices: o.AllDevices})
}
