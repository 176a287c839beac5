package platform

import (
	"context"
	"time"
)

// Given is one field that a source gives on this kernel.
type Given struct {
	Field Field
	// Bits is the width of the kernel's counter, counted in units of Step. 0
	// means 64. It matters for cumulative fields only.
	Bits uint8
	// Step is the kernel's own unit in base units of the field: 1e6 for
	// milliseconds of a field in nanoseconds. 0 means 1.
	Step uint64
	// PerSecond is the most that a cumulative field can grow in a second, in base
	// units, where the kernel bounds it. 0 means unknown.
	PerSecond uint64
	// Approximate says that the kernel keeps another, truer figure elsewhere. A
	// plan takes an approximate field only where no source is exact.
	Approximate bool
	// Partial says that the source tells it of some of the entities, and another
	// source of others. A plan takes all of those that do.
	Partial bool
}

// Source is one kernel read. Its fields may belong to several entities.
type Source struct {
	Name   string  // the kernel's own name: /proc/[pid]/stat, kern.proc
	Needs  string  // the privilege it takes; "" for none
	Entity Entity  // what is walked to read it
	Gives  []Given // the fields it gives
	Texts  []Text  // the texts it gives
	Cost   int     // typical CPU cost of one read in microseconds, to choose between sources
	Files  int     // files opened for one read
	Dear   bool    // read for selected processes only, never for all of them
	Clock  bool    // gives the start time, and so the identity, of a process
}

// Reason says why a source gave nothing. These are different things, and none of
// them is zero.
type Reason uint8

// The reasons.
const (
	Unknown     Reason = iota // an unexpected error or unexpected content
	Denied                    // the kernel refused: a privilege is missing
	Gone                      // the entity ended between listing and reading
	Unsupported               // this kernel does not have it
	Stuck                     // no answer within the budget
	Skipped                   // not read, since that would have cost more than it may
	numReasons
)

// Reasons is how many reasons there are.
const Reasons = int(numReasons)

var reasonNames = [numReasons]string{"unknown", "denied", "gone", "unsupported", "stuck", "skipped"}

// String returns the reason in lower case.
func (r Reason) String() string {
	if r >= numReasons {
		return "unknown"
	}
	return reasonNames[r]
}

// Sink takes what a [Reader] reads.
type Sink interface {
	// Sample takes one sample, lent until the call returns. False ends the read.
	Sample(*Sample) bool
	// Miss tells that a source, by its index in [Backend.Sources], gave nothing
	// for one entity.
	Miss(source int, why Reason)
}

// Boot is what turns a process's start into a time.
type Boot struct {
	ID   string        // changes with every boot; "" where the kernel has none
	Time time.Time     // when the kernel started, in whole seconds
	Tick time.Duration // the unit of Key.Start
	// Epoch is what Key.Start counts from, where the kernel counts from another
	// moment than its start. The zero time means Time.
	Epoch time.Time
}

// Created returns when a process with the given raw start time was created. Any
// two observers of one boot agree on it to the digit.
func (b Boot) Created(start uint64) time.Time {
	from := b.Epoch
	if from.IsZero() {
		from = b.Time
	}
	return from.Add(time.Duration(start) * b.Tick)
}

// Backend reads one kernel. It is safe for one pass at a time.
type Backend interface {
	// Sources returns everything that this backend can read, in a fixed order of
	// at most 64. The caller must not change it.
	Sources() []Source
	// Boot returns the origin of this kernel's times. It never changes.
	Boot() Boot
	// Begin starts one pass. Reads that answer for many entities at once are made
	// at most once in a pass, and kept until the reader is closed. An error here
	// means that nothing can be read at all.
	Begin(context.Context) (Reader, error)
	// Close frees what the backend holds. No reader and no inspection may be open.
	Close() error
}

// Reader is one pass over the kernel. What one source could not give goes to
// [Sink.Miss]; an error is returned only where the whole walk could not be made,
// or when the context of the pass has ended.
type Reader interface {
	// Read reads each source of the set once for every entity that it tells of,
	// and hands one sample per entity to the sink. All fields of a process's
	// sample belong to the same process: a PID that changed hands between two
	// reads gives no sample.
	Read(SourceSet, Sink) error
	// Process reads one process. The key's Start may be 0 for whoever has the PID
	// now. A process that is gone is an error that matches [os.ErrProcessDone],
	// and so is a PID whose start is another.
	Process(Key, SourceSet, Sink) error
	// Close ends the pass.
	Close() error
}
