package windows_test

import (
	"fmt"

	"github.com/pidometer/pidometer/platform/windows"
)

// What is read of a process without opening it.
func ExampleSources() {
	for _, s := range windows.Sources() {
		if s.Clock {
			fmt.Println(s.Name, len(s.Gives) > 20)
		}
	}
	// Output:
	// SystemProcessInformation true
}
