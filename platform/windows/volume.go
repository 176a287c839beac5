package windows

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"sync/atomic"
	"time"

	"github.com/pidometer/pidometer/platform"
)

// Kinds of drives, as GetDriveType tells them.
const (
	driveRemovable = 2
	driveFixed     = 3
	driveRemote    = 4
	driveOptical   = 5
	driveRAM       = 6
)

// volumes asks drives for their space, each of which may never answer: a disk that
// fails, a server that is gone.
type volumes struct {
	kernel  Kernel
	all     bool
	budget  time.Duration
	drives  map[string]*drive
	round   []*drive // of this pass
	open    int      // those of them that will answer into answers
	err     error    // why there is no list of drives
	answers chan volumeAnswer
}

// drive is one drive letter. While busy is set a goroutine waits for its answer, and
// it is asked nothing else.
type drive struct {
	root string
	busy atomic.Bool
}

type volumeAnswer struct {
	drive  *drive
	volume Volume
	err    error
}

func (v *volumes) init(k Kernel, o Options) {
	v.kernel, v.all, v.budget = k, o.AllDevices, o.Budget
	if v.budget <= 0 {
		v.budget = defaultBudget
	}
	v.drives = map[string]*drive{}
}

// reports tells whether a kind of drive is reported: those with space of this machine,
// unless all are wanted.
func (v *volumes) reports(kind uint32) bool {
	switch kind {
	case driveRemovable, driveFixed, driveRAM:
		return true
	case driveRemote, driveOptical:
		return v.all
	}
	return false
}

// ask puts the question to every drive. Each has its own goroutine, so that one that
// hangs holds up no other: there are 26 letters.
func (v *volumes) ask() {
	v.round, v.open = v.round[:0], 0
	var drives []Drive
	if drives, v.err = v.kernel.Drives(); v.err != nil {
		return
	}
	v.answers = make(chan volumeAnswer, len(drives))
	for _, d := range drives {
		if !v.reports(d.Kind) {
			continue
		}
		known := v.drives[d.Root]
		if known == nil {
			known = &drive{root: d.Root}
			v.drives[d.Root] = known
		}
		v.round = append(v.round, known)
		if known.busy.CompareAndSwap(false, true) {
			v.open++
			go v.question(known, v.answers)
		}
	}
}

// question waits for one answer. answers has room for it whenever it comes. The drive is
// free before that, because a pass that has the answer may be followed by the next at once.
func (v *volumes) question(d *drive, answers chan<- volumeAnswer) {
	volume, err := v.kernel.Volume(d.root)
	d.busy.Store(false)
	answers <- volumeAnswer{d, volume, err}
}

// await returns the answers that come within the budget, in the order of the drives.
// For the rest, and at once for those that an earlier pass still waits for, the error
// is [os.ErrDeadlineExceeded].
func (v *volumes) await(ctx context.Context) []volumeAnswer {
	answers := make([]volumeAnswer, len(v.round))
	for i, d := range v.round {
		answers[i] = volumeAnswer{drive: d, err: os.ErrDeadlineExceeded}
	}
	timer := time.NewTimer(v.budget)
	defer timer.Stop()
	for range v.open {
		select {
		case a := <-v.answers:
			for i := range answers {
				if answers[i].drive == a.drive {
					answers[i] = a
				}
			}
		case <-timer.C:
			return answers
		case <-ctx.Done():
			return answers
		}
	}
	return answers
}

// sendVolumes hands on the volume of each drive.
func (p *hostPass) sendVolumes() bool {
	if !p.wants(fromVolumes) {
		return true
	}
	if p.host.volumes.err != nil {
		p.check(fromVolumes, p.host.volumes.err)
		return true
	}
	for _, a := range p.host.volumes.await(p.ctx) {
		if p.ctx.Err() != nil {
			return false
		}
		if errors.Is(a.err, fs.ErrNotExist) {
			continue // no medium in the drive
		}
		if a.err != nil {
			p.check(fromVolumes, a.err)
			continue
		}
		p.setVolume(a.drive.root, &a.volume)
		if !p.send() {
			return false
		}
	}
	return true
}

// setVolume fills the sample. What is free to anybody but not to this caller is kept
// back by a quota.
func (p *hostPass) setVolume(root string, v *Volume) {
	s := &p.host.sample
	s.Reset(platform.Filesystem, platform.Key{ID: uint64(v.Serial), Name: root})
	s.Set(platform.FilesystemTotal, v.Total)
	s.Set(platform.FilesystemUsed, max(v.Total, v.Free)-v.Free)
	s.Set(platform.FilesystemFree, v.Usable)
	s.Set(platform.FilesystemReserved, max(v.Free, v.Usable)-v.Usable)
	mode := "rw"
	if v.ReadOnly {
		mode = "ro"
	}
	s.SetText(platform.FilesystemDevice, []byte(v.Device))
	s.SetText(platform.FilesystemType, []byte(v.Type))
	s.SetText(platform.FilesystemMode, []byte(mode))
}
