package freebsd_test

import (
	"fmt"

	"github.com/pidometer/pidometer/platform/freebsd"
)

// What a FreeBSD host can be asked, on whatever system this is asked.
func ExampleSources() {
	for _, s := range freebsd.Sources()[:3] {
		fmt.Println(s.Entity, s.Name)
	}
	// Output:
	// process kern.proc
	// process /etc/passwd
	// process kern.file, net.inet.tcp.pcblist, net.inet.udp.pcblist
}
