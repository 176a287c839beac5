//go:build unix

package exporter

import (
	"os"
	"syscall"
	"time"
)

// raise sends this process a signal, and returns only if that did not end it. A
// signal to oneself may be delivered to another thread, a little later.
func raise(sig os.Signal) {
	s, ok := sig.(syscall.Signal)
	if !ok || syscall.Kill(os.Getpid(), s) != nil {
		return
	}
	<-time.After(time.Second)
}
