package netbsd_test

import (
	"fmt"

	"github.com/pidometer/pidometer/platform/netbsd"
)

// What tells of processes.
func ExampleSources() {
	fmt.Println(netbsd.Sources()[0].Name)
	// Output: kern.proc2
}
