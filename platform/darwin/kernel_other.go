//go:build !darwin

package darwin

import (
	"errors"
	"fmt"
)

func newKernel() (Kernel, error) {
	return nil, fmt.Errorf("the calls of macOS need macOS: leave Options.Kernel out there: %w", errors.ErrUnsupported)
}
