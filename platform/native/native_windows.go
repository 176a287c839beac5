package native

import (
	"github.com/pidometer/pidometer/platform"
	"github.com/pidometer/pidometer/platform/windows"
)

func open(o Options) (platform.Backend, error) {
	return windows.New(windows.Options{AllDevices: o.AllDevices, Budget: o.Budget})
}
