package platformtest

import (
	"testing"

	"github.com/pidometer/pidometer/platform"
	"github.com/pidometer/pidometer/platform/linux"
)

func TestLinuxInspector(t *testing.T) {
	TestInspector(t, func() (platform.Backend, error) { return linux.New(linux.Options{}) })
}
