package simkernel

import (
	"testing"

	"github.com/pidometer/pidometer/platform"
	"github.com/pidometer/pidometer/platform/platformtest"
)

// TestInspector checks what package platform promises of an inspector on a made-up kernel, on
// a world of its own for each promise. The observer lives there, and denies nothing.
func TestInspector(t *testing.T, d Dialect, details []platform.DetailSource) {
	t.Helper()
	platformtest.TestInspectorAs(t, func() (platform.Backend, *platformtest.Observer, error) {
		w := New(3, 8)
		for range 60 {
			w.Step()
		}
		b, err := d.Open(w)
		return b, w.observer(details), err
	})
}

// observer is whoever looks, as it is.
func (w *World) observer(details []platform.DetailSource) *platformtest.Observer {
	p := w.Find(w.Self)
	open := func() (*platformtest.Opened, error) {
		p.Closed = false
		return &platformtest.Opened{Path: p.Path(), FD: FileFD, Close: func() error { p.Closed = true; return nil }}, nil
	}
	return &platformtest.Observer{PID: p.PID, Parent: p.Parent, Command: p.Name, Arguments: p.Arguments(), Open: open, Details: details,
		Users: &platform.IDs{Real: uint32(p.UID + 1), Effective: uint32(p.UID)}}
}
