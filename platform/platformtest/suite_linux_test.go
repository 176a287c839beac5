package platformtest

import (
	"testing"

	"github.com/pidometer/pidometer/platform"
	"github.com/pidometer/pidometer/platform/linux"
)

func TestLinux(t *testing.T) {
	TestBackend(t, func() (platform.Backend, error) { return linux.New(linux.Options{}) })
}

func TestLinuxWithAllDevices(t *testing.T) {
	TestBackend(t, func() (platform.Backend, error) { return linux.New(linux.Options{AllDevices: true}) })
}
