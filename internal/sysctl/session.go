package sysctl

import (
	"github.com/pidometer/pidometer/internal/layout"
	"github.com/pidometer/pidometer/platform"
)

// LoginTable says where a record of who is logged in has what: struct utmpx on NetBSD,
// struct utmp on OpenBSD.
type LoginTable struct {
	Path string
	Size int
	User int // the name
	Kind int // 16 bits, 0 if there are no kinds
}

const userProcess = 7 // USER_PROCESS of utmpx(5)

// Sessions counts who is logged in.
func Sessions(t *LoginTable) HostSource {
	return HostSource{Source: Level(t.Path, platform.Host, 20, platform.HostSessions), Host: func(p *Pass) error {
		b, err := p.kernel.File(t.Path)
		if err != nil {
			return err
		}
		var users uint64
		t.decodeLogins(b, func(Row) { users++ })
		p.sample.Set(platform.HostSessions, users)
		return nil
	}}
}

// decodeLogins calls each with the records of those who are logged in. A record that is
// being written is not whole, and left out.
func (t *LoginTable) decodeLogins(b []byte, each func(Row)) {
	Each(b, t.Size, func(r Row) {
		if t.Kind != 0 && layout.U16(r, t.Kind) != userProcess || r[t.User] == 0 {
			return
		}
		each(r)
	})
}
