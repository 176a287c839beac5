package linux

import (
	"bytes"

	"github.com/pidometer/pidometer/internal/text"
	"github.com/pidometer/pidometer/platform"
)

// owners are the users that the root's own etc/passwd names.
type owners struct {
	pass           uint64 // the pass that last asked whether the file changed
	size, modified int64
	names          map[uint64][]byte
}

// decodePasswd reads lines of /etc/passwd (man 5 passwd). Of several names for
// one ID the first holds, as it does for getpwuid.
//
//	root:x:0:0:root:/root:/bin/bash
func decodePasswd(b []byte) map[uint64][]byte {
	names := map[uint64][]byte{}
	for line := range text.Lines(b) {
		name, rest, _ := bytes.Cut(line, []byte(":"))
		_, rest, _ = bytes.Cut(rest, []byte(":"))
		digits, _, found := bytes.Cut(rest, []byte(":"))
		id, _, ok := text.UintField(digits)
		if !found || !ok || len(name) == 0 || id > 1<<32-1 {
			continue
		}
		if _, taken := names[id]; !taken {
			names[id] = bytes.Clone(name)
		}
	}
	return names
}

// readPasswd sets who the process acts as. A user without a name is none the
// less known by the number.
func (r *reader) readPasswd(v *visit) error {
	user, err := r.user(v)
	if err != nil {
		return err
	}
	r.sample.Set(platform.ProcessUser, user)
	if name, ok := r.owner(user); ok {
		r.sample.SetText(platform.ProcessOwner, name)
	}
	return nil
}

// user returns the effective user ID, from status if that is read anyway. Else
// from the owner of a directory that everybody may list, which for every process
// is the effective user (task_dump_owner in fs/proc/base.c), at a tenth of the
// cost. It is task and not the process's directory itself, whose owner becomes
// root when the process ends.
func (r *reader) user(v *visit) (uint64, error) {
	if r.live && !v.set.Has(pidStatus) {
		st, err := r.kernel.Stat(v.dir, r.join("task"))
		return uint64(st.UID), err
	}
	p, err := r.status(v)
	if err == nil && !p.has(statusUser) {
		err = errContent
	}
	return p.values[statusUser], err
}

// owner returns a user's name. Once in a pass it asks whether the file changed.
func (r *reader) owner(user uint64) (name []byte, ok bool) {
	if o := &r.owners; o.pass != r.passes {
		o.pass = r.passes
		r.loadOwners()
	}
	name, ok = r.owners.names[user]
	return name, ok
}

// loadOwners reads the file again if it is not the one that was read. Without a
// file there are no names.
func (r *reader) loadOwners() {
	o := &r.owners
	st, err := r.kernel.Stat(r.root, r.join("etc/passwd"))
	if err == nil && o.names != nil && st.Size == o.size && st.Modified == o.modified {
		return
	}
	o.names, o.size, o.modified = nil, st.Size, st.Modified
	if b, err := r.file("etc/passwd"); err == nil {
		o.names = decodePasswd(b)
	}
}
