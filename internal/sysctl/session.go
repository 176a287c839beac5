package sysctl

import (
	"time"

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

	UserLength       int
	Line, LineLength int // the terminal
	Host, HostLength int
	PID              int // 32 bits, 0 if it is not told
	Seconds          int // since 1970
	SecondsWidth     int
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

// Logins tells who is logged in.
func Logins(t *LoginTable) Detail[[]platform.Session] {
	return Detail[[]platform.Session]{Reads: []string{t.Path}, Of: func(p *Inspection, _ *Visit) ([]platform.Session, error) {
		b, err := p.kernel.File(t.Path)
		if err != nil {
			return nil, err
		}
		sessions := []platform.Session{}
		t.decodeLogins(b, func(r Row) { sessions = append(sessions, t.describe(r)) })
		return sessions, nil
	}}
}

// describe tells of one who is logged in.
func (t *LoginTable) describe(r Row) platform.Session {
	s := platform.Session{User: CString(r[t.User : t.User+t.UserLength]), Terminal: CString(r[t.Line : t.Line+t.LineLength]),
		Host: CString(r[t.Host : t.Host+t.HostLength]), Started: time.Unix(int64(layout.Word(r, t.Seconds, t.SecondsWidth)), 0)}
	if t.PID != 0 {
		s.PID = r.U32(t.PID)
	}
	return s
}
