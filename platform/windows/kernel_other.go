//go:build !windows

package windows

import (
	"errors"
	"fmt"
	"runtime"
)

func newKernel() (Kernel, error) {
	return nil, fmt.Errorf("no Windows kernel on %s: set Options.Kernel: %w", runtime.GOOS, errors.ErrUnsupported)
}
