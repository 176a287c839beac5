package command

import (
	"context"
	"errors"
	"io/fs"
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
var tableMetrics = []string{"system.cpu.linux.load_*", "system.memory.limit", "system.filesystem.limit"}

// once makes one pass, two where something is a rate, and prints it.
func once(ctx context.Context, env Env, f *flags) (End, error) {
	if f.format == "table" {
		f.metrics = append(tableMetrics, f.metrics...)
	}
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
		err = table.Write(env.Out, snapshot.New(host, looks...))
	}
	return End{}, err
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
		return true
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
