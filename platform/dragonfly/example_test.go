package dragonfly_test

import (
	"fmt"

	"github.com/pidometer/pidometer/platform/dragonfly"
)

// What a DragonFly host can be asked, on whatever system this is asked.
func ExampleSources() {
	for _, s := range dragonfly.Sources()[:3] {
		fmt.Println(s.Entity, s.Name)
	}
	// Output:
	// process kern.proc
	// process /etc/passwd
	// process kern.proc, threads
}
