package darwin_test

import (
	"fmt"

	"github.com/pidometer/pidometer/platform/darwin"
)

// What a Mac can be asked, on whatever system this is asked.
func ExampleSources() {
	for _, s := range darwin.Sources()[:3] {
		fmt.Println(s.Entity, s.Name)
	}
	// Output:
	// process kern.proc
	// process proc_info PROC_PIDTASKINFO
	// process getpwuid
}
