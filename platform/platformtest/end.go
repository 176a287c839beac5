package platformtest

import (
	"context"
	"errors"
	"os"
	"time"

	"github.com/pidometer/pidometer/platform"
)

func checkStop(b platform.Backend) error {
	var f faults
	for i, source := range b.Sources() {
		for _, set := range []platform.SourceSet{platform.SourceSet(0).With(i), everything(b)} {
			r := newRecord()
			r.most = 1
			err := within(b, func(reader platform.Reader) error { return reader.Read(set, r) })
			if err != nil || r.calls > 1 {
				f.add("%s in %b: %d samples, %v", source.Name, set, r.calls, err)
			}
		}
	}
	return f.err()
}

func checkNothing(b platform.Backend) error {
	var f faults
	r, err := readAll(b, 0)
	if err != nil || r.calls+len(r.misses) > 0 {
		f.add("%d samples, %v, %v", r.calls, r.misses, err)
	}
	all, err := readAll(b, clocks(b))
	if err != nil {
		return err
	}
	for key := range all.of(platform.Process) {
		r, err := readOne(b, key, 0)
		if err != nil && !errors.Is(err, os.ErrProcessDone) || r.calls+len(r.misses) > 0 {
			f.add("%v: %d samples, %v, %v", key, r.calls, r.misses, err)
		}
	}
	return f.err()
}

func checkAgain(b platform.Backend) error {
	for range 3 {
		reader, err := b.Begin(context.Background())
		if err != nil {
			return err
		}
		if err := reader.Read(everything(b), newRecord()); err != nil {
			return err
		}
		if err := errors.Join(reader.Close(), reader.Close()); err != nil {
			return err
		}
	}
	return nil
}

func checkCancelled(b platform.Backend) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	reader, err := b.Begin(ctx)
	if err != nil {
		return err
	}
	defer reader.Close()
	cancel()
	var f faults
	begin := time.Now()
	if err := reader.Read(everything(b), newRecord()); !errors.Is(err, context.Canceled) {
		f.add("a read gave %v", err)
	}
	if clocks(b) != 0 {
		if err := reader.Process(platform.Self, clocks(b), newRecord()); !errors.Is(err, context.Canceled) {
			f.add("a process gave %v", err)
		}
	}
	if took := time.Since(begin); took > time.Second {
		f.add("it took %v", took)
	}
	return f.err()
}
