//go:build !windows

package windows

import (
	"errors"
	"fmt"
	"runtime"
)

// Serve refuses: this system has no services of Windows. The error matches
// [errors.ErrUnsupported].
func Serve(Work) error {
	return fmt.Errorf("--service is for Windows, and this is %s: %w", runtime.GOOS, errors.ErrUnsupported)
}
