// Package windows runs the program as a service of Windows.
package windows

import (
	"bytes"
	"context"
	"io"
)

// Name is what the service and its entries in the event log are called, whatever name
// it was installed under.
const Name = "pidometer"

// Work is what the service does until its context ends. What it writes, a line at a
// time, goes to the event log.
type Work func(ctx context.Context, log io.Writer) error

// severity is how the event log sorts a line.
type severity int

const (
	information severity = iota
	warning
	failure
)

// severityOf reads the level of a line of package log/slog.
func severityOf(line []byte) severity {
	switch {
	case bytes.Contains(line, []byte("level=ERROR")):
		return failure
	case bytes.Contains(line, []byte("level=WARN")):
		return warning
	}
	return information
}
