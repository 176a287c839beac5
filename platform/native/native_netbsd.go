package native

import (
	"fmt"
	"io/fs"

	"github.com/pidometer/pidometer/platform"
	"github.com/pidometer/pidometer/platform/netbsd"
)

func open(o Options) (platform.Backend, error) {
	if o.Root != "" && o.Root != "/" {
		return nil, fmt.Errorf("root %s: NetBSD tells of itself in calls, not in files: leave the root out: %w", o.Root, fs.ErrInvalid)
	}
	return netbsd.New(netbsd.Options{AllDevices: o.AllDevices})
}
