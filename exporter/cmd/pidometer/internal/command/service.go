package command

import (
	"context"
	"errors"
	"io"

	"github.com/pidometer/pidometer/exporter/cmd/pidometer/internal/windows"
)

// serve is the sidecar as a service of Windows, where stopping the service is what
// SIGTERM is elsewhere.
func serve(f *flags) (end End, err error) {
	err = windows.Serve(func(ctx context.Context, log io.Writer) (err error) {
		end, err = work(ctx, Env{Out: io.Discard, Err: log}, f)
		return err
	})
	if errors.Is(err, errors.ErrUnsupported) {
		return End{}, usageError{err}
	}
	return end, err
}
