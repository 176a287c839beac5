package command

import (
	"context"
	"time"

	"github.com/pidometer/pidometer/exporter/cmd/pidometer/internal/snapshot"
	"github.com/pidometer/pidometer/exporter/cmd/pidometer/internal/table"
	"github.com/pidometer/pidometer/instrumentation"
	"github.com/pidometer/pidometer/instrumentation/producer"
)

// cpuMetrics are all that is needed to see who is where.
var cpuMetrics = []string{"-*", "process.cpu.time", "process.cpu.logical_number", "system.cpu.logical.count"}

// cpus looks several times, and shows for each CPU who has been busy on it since
// the look before.
func cpus(ctx context.Context, env Env, f *flags) (End, error) {
	source, err := producer.New(instrumentation.WithProcesses(instrumentation.All),
		instrumentation.WithMetrics(cpuMetrics...), instrumentation.WithFilter(f.filter...))
	if err != nil {
		return End{}, startError(err)
	}
	defer source.Close()
	if f.interval == 0 {
		f.interval = time.Second
	}
	before, err := source.Produce(ctx)
	if err != nil {
		return End{}, err
	}
	ticker := time.NewTicker(f.interval)
	defer ticker.Stop()
	for range f.count {
		at := <-ticker.C
		now, err := source.Produce(ctx)
		if err != nil {
			return End{}, err
		}
		if err := table.CPUs(env.Out, at, snapshot.New(nil, before, now)); err != nil {
			return End{}, err
		}
		before = now
	}
	return End{}, nil
}
