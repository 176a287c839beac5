package windows

import (
	"testing"

	"github.com/pidometer/pidometer/platform/platformtest"
)

// Every promise of package platform holds on a made-up Windows of 64 and of 32 bits.
func TestBackend(t *testing.T) {
	for name, word := range map[string]int{"64-bit": 8, "32-bit": 4} {
		t.Run(name, func(t *testing.T) { platformtest.TestBackend(t, newWorld(word).backend) })
	}
}
