//go:build !linux && !windows && !darwin && !dragonfly && !freebsd && !netbsd && !openbsd && !solaris

package native

import (
	"errors"
	"fmt"
	"runtime"

	"github.com/pidometer/pidometer/platform"
)

func open(Options) (platform.Backend, error) {
	return nil, fmt.Errorf("no backend for %s yet: %w", runtime.GOOS, errors.ErrUnsupported)
}
