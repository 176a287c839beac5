package turn

import (
	"context"
	"errors"
	"io/fs"
	"sync"
	"testing"
)

// One at a time has it, whoever they are.
func TestTakeTurns(t *testing.T) {
	turn := New()
	var all sync.WaitGroup
	inside, most := 0, 0
	for range 100 {
		all.Go(func() {
			if err := turn.Take(context.Background()); err != nil {
				t.Error(err)
				return
			}
			inside++
			most = max(most, inside)
			inside--
			turn.Give()
		})
	}
	all.Wait()
	if most != 1 {
		t.Errorf("%d had it at once", most)
	}
}

func TestGiveUp(t *testing.T) {
	turn := New()
	if err := turn.Take(context.Background()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := turn.Take(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	turn.Give()
}

func TestEnd(t *testing.T) {
	turn := New()
	called := false
	err := turn.End(func() error {
		called = true
		return fs.ErrPermission
	})
	if !errors.Is(err, fs.ErrPermission) || !called || !turn.Ended() {
		t.Errorf("%v, called %v, ended %v", err, called, turn.Ended())
	}
	if err := turn.Take(context.Background()); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("after the end: %v", err)
	}
	if err := turn.End(func() error { return nil }); err != nil {
		t.Errorf("a second end: %v", err)
	}
}
