//go:build !dragonfly

package dragonfly

import (
	"errors"
	"fmt"
)

func newKernel() (Kernel, error) {
	return nil, fmt.Errorf("no DragonFly here: %w", errors.ErrUnsupported)
}
