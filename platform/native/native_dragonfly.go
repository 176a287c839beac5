package native

import (
	"fmt"
	"io/fs"

	"github.com/pidometer/pidometer/platform"
	"github.com/pidometer/pidometer/platform/dragonfly"
)

func open(o Options) (platform.Backend, error) {
	if o.Root != "" && o.Root != "/" {
		return nil, fmt.Errorf("root %s: DragonFly tells of itself in calls, not in files: leave the root out: %w", o.Root, fs.ErrInvalid)
	}
	return dragonfly.New(dragonfly.Options{AllDevices: o.AllDevices})
}
