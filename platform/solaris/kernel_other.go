//go:build !solaris

package solaris

import (
	"errors"
	"fmt"
)

func newKernel() (Kernel, error) {
	return nil, fmt.Errorf("neither illumos nor Solaris here: %w", errors.ErrUnsupported)
}
