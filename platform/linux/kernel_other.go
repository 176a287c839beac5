//go:build !linux

package linux

import (
	"errors"
	"fmt"
	"runtime"
)

func newKernel() (Kernel, error) {
	return nil, fmt.Errorf("no Linux kernel on %s: set Options.Kernel: %w", runtime.GOOS, errors.ErrUnsupported)
}
