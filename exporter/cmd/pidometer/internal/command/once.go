package command

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"time"

	"go.opentelemetry.io/otel/attribute"

	"github.com/pidometer/pidometer/exporter/cmd/pidometer/internal/document"
	"github.com/pidometer/pidometer/exporter/cmd/pidometer/internal/snapshot"
	"github.com/pidometer/pidometer/exporter/cmd/pidometer/internal/table"
	"github.com/pidometer/pidometer/instrumentation"
	"github.com/pidometer/pidometer/instrumentation/producer"
	"github.com/pidometer/pidometer/semconv"
)

// between is the time between two passes of which a rate is made: the least age
// of a rate's base is one second.
const between = 1050 * time.Millisecond

// tableMetrics are off by default and columns of the table.
var tableMetrics = []string{
	"system.cpu.linux.load_*", "system.memory.limit", "system.filesystem.limit",
	"hw.battery.charge", "hw.battery.status", "hw.battery.time_left", "hw.cpu.speed", "hw.fan.speed", "hw.temperature", "hw.temperature.limit",
}

// sizeMetrics are all that a listing by memory shows.
var sizeMetrics = []string{"-*", "process.memory.usage", "process.memory.uss", "process.memory.linux.pss", "process.memory.linux.swap"}

// once makes one pass, two where something is a rate, and prints it.
func once(ctx context.Context, env Env, f *flags) (End, error) {
	f.prepare()
	host, source, err := f.open(ctx)
	if err != nil {
		return End{}, err
	}
	defer source.Close()
	looks, err := look(ctx, source, f.rates())
	if err != nil {
		return End{}, err
	}
	last := looks[len(looks)-1]
	switch f.format {
	case "json":
		err = document.JSON(env.Out, host, last)
	case "otlp":
		err = document.OTLP(ctx, env.Out, host, last)
	default:
		err = f.draw(env, snapshot.New(host, looks...))
	}
	return End{}, err
}

// prepare enables what the chosen form shows and what is off by default.
func (f *flags) prepare() {
	switch {
	case f.sort != "":
		f.processes = "all"
		f.metrics = append(slices.Clone(sizeMetrics), f.metrics...)
		f.attributes = append(f.attributes, string(semconv.ProcessOwner), string(semconv.ProcessCommandArgs))
	case f.format == "table":
		f.metrics = append(slices.Clone(tableMetrics), f.metrics...)
	}
}

func (f *flags) draw(env Env, s *snapshot.Snapshot) error {
	if f.sort != "" {
		return table.Memory(env.Out, s, f.sort)
	}
	return table.Write(env.Out, s)
}

// open opens what the flags choose, for a single look.
func (f *flags) open(ctx context.Context) ([]attribute.KeyValue, *producer.Producer, error) {
	source, err := producer.New(append(f.options(), instrumentation.WithLifetime())...)
	if err != nil {
		return nil, nil, startError(err)
	}
	host, err := instrumentation.HostAttributes(ctx, f.options()...)
	if err != nil {
		source.Close()
		return nil, nil, startError(err)
	}
	return host, source, nil
}

// startError sorts what Start refuses: on a system without a backend nothing can
// be mended by other input, elsewhere everything can.
func startError(err error) error {
	if errors.Is(err, errors.ErrUnsupported) && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return usageError{err}
}

// rates reports whether anything that is printed needs two passes.
func (f *flags) rates() bool {
	if f.format == "table" {
		return f.sort == ""
	}
	enabled, err := semconv.Select(f.metrics)
	if err != nil {
		return false
	}
	for _, m := range enabled {
		if m.Rate {
			return true
		}
	}
	return false
}
