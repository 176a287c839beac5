package solaris_test

import (
	"fmt"

	"github.com/pidometer/pidometer/platform/solaris"
)

// What a host with illumos or Solaris can be asked, on whatever system this is asked.
func ExampleSources() {
	for _, s := range solaris.Sources()[:3] {
		fmt.Println(s.Entity, s.Name)
	}
	// Output:
	// process /proc/[pid]/psinfo
	// process /proc/[pid]/usage
	// process /proc/[pid]/status
}
