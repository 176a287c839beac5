//go:build !freebsd

package freebsd

import (
	"errors"
	"fmt"
)

func newKernel() (Kernel, error) {
	return nil, fmt.Errorf("no FreeBSD here: %w", errors.ErrUnsupported)
}
