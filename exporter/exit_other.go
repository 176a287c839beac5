//go:build !unix

package exporter

import "os"

// raise does nothing: a Windows process cannot send itself a signal.
func raise(os.Signal) {}
