//go:build !openbsd

package openbsd

import (
	"errors"
	"fmt"
	"runtime"
)

func newKernel() (Kernel, error) {
	return nil, fmt.Errorf("no OpenBSD kernel on %s: set Options.Kernel: %w", runtime.GOOS, errors.ErrUnsupported)
}
