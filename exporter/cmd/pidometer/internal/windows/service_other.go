//go:build !windows

package windows

import (
	"errors"
	"fmt"
	"runtime"
)

// Supported refuses: this system has no services of Windows. The error matches
// [errors.ErrUnsupported], and so do those of all functions here.
func Supported() error {
	return fmt.Errorf("services are of Windows, and this is %s: %w", runtime.GOOS, errors.ErrUnsupported)
}

// Serve refuses.
func Serve(Work) error { return fmt.Errorf("--service: %w", Supported()) }

// Install refuses.
func Install(Setup) (note string, err error) { return "", Supported() }

// Uninstall refuses.
func Uninstall(string) error { return Supported() }

// StartService refuses.
func StartService(string) error { return Supported() }

// Stop refuses.
func Stop(string) error { return Supported() }
