package native

import (
	"github.com/pidometer/pidometer/platform"
	"github.com/pidometer/pidometer/platform/linux"
)

func open(o Options) (platform.Backend, error) {
	return linux.New(linux.Options{
		Root: o.Root, AllDevices: o.AllDevices, Budget: o.Budget, MapsCeiling: o.MapsCeiling, MapsBudget: o.MapsBudget,
	})
}
