package native

import (
	"fmt"
	"io/fs"

	"github.com/pidometer/pidometer/platform"
	"github.com/pidometer/pidometer/platform/darwin"
)

func open(o Options) (platform.Backend, error) {
	if o.Root != "" && o.Root != "/" {
		return nil, fmt.Errorf("root %s: macOS tells of itself in calls, not in files: leave the root out: %w", o.Root, fs.ErrInvalid)
	}
	return darwin.New(darwin.Options{AllDevices: o.AllDevices})
}
