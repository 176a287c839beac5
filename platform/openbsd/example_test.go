package openbsd_test

import (
	"fmt"

	"github.com/pidometer/pidometer/platform/openbsd"
)

// What tells of processes.
func ExampleSources() {
	fmt.Println(openbsd.Sources()[0].Name)
	// Output: kern.proc
}
