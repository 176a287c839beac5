package windows

import (
	"testing"

	"github.com/pidometer/pidometer/platform"
	"github.com/pidometer/pidometer/platform/platformtest"
)

// Every promise of package platform holds on the kernel that the tests run on.
func TestLiveBackend(t *testing.T) {
	platformtest.TestBackend(t, func() (platform.Backend, error) { return New(Options{}) })
}
