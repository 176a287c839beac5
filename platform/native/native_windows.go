package native

import (
	"fmt"
	"io/fs"

	"github.com/pidometer/pidometer/platform"
	"github.com/pidometer/pidometer/platform/windows"
)

func open(o Options) (platform.Backend, error) {
	if o.Root != "" && o.Root != "/" {
		return nil, fmt.Errorf("root %s: Windows tells of itself in calls, not in files: leave the root out: %w", o.Root, fs.ErrInvalid)
	}
	return windows.New(windows.Options{AllDevices: o.AllDevices, Budget: o.Budget, MapsCeiling: o.MapsCeiling, MapsBudget: o.MapsBudget})
}
