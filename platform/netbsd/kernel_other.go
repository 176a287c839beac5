//go:build !netbsd

package netbsd

import (
	"errors"
	"fmt"
	"runtime"
)

func newKernel() (Kernel, error) {
	return nil, fmt.Errorf("no NetBSD kernel on %s: set Options.Kernel: %w", runtime.GOOS, errors.ErrUnsupported)
}
