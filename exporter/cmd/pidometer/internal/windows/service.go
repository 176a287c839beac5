// Package windows runs the program as a service of Windows, and puts it into the hands
// of the service manager.
package windows

import (
	"bytes"
	"context"
	"io"
)

// Name is what the service is called unless it is told otherwise, and what its entries
// in the event log are called, whatever name it was installed under.
const Name = "pidometer"

// Work is what the service does until its context ends. It calls runs once nothing can
// keep it from running any more. What it writes, a line at a time, goes to the event
// log.
type Work func(ctx context.Context, log io.Writer, runs func()) error

// Start is when a service starts.
type Start int

// The values of [Setup.Start].
const (
	Delayed   Start = iota // with the machine, after the other automatic ones
	Automatic              // with the machine
	Manual                 // when somebody asks
)

// Setup is how the program is registered.
type Setup struct {
	Name      string
	Start     Start
	Arguments []string // of the program, quoted as Windows reads command lines
}

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
