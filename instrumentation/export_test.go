package instrumentation

import "github.com/pidometer/pidometer/platform"

// WithBackend measures the kernel of a test instead of this machine's.
func WithBackend(b platform.Backend) Option { return withBackend(b) }
