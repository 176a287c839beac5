package solaris

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pidometer/pidometer/internal/layout"
	"github.com/pidometer/pidometer/platform"
)

// Mounts implements [platform.Inspector].
func (b *backend) Mounts(ctx context.Context) ([]platform.Mount, error) {
	p, err := b.view(ctx)
	if err != nil {
		return nil, err
	}
	text, err := p.kernel.File(mountPath)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", mountPath, err)
	}
	return decodeMounts(text), nil
}

// decodeMounts describes every line that is one. The kernel escapes nothing, and writes - for
// what is empty (mntfs_populate_text, mntvnops.c of illumos).
func decodeMounts(text []byte) []platform.Mount {
	mounts := []platform.Mount{}
	for line := range bytes.Lines(text) {
		if m, ok := decodeMount(line); ok {
			mounts = append(mounts, platform.Mount{Device: m.number(0), Root: "/", Point: m.point, Type: m.kind, Source: unlessEmpty(m.device),
				Options: unlessEmpty(strings.Join(m.options, ",")), ReadOnly: slices.Contains(m.options, "ro")})
		}
	}
	return mounts
}

func unlessEmpty(field string) string {
	if field == "-" {
		return ""
	}
	return field
}

// More offsets in struct futmpx.
const (
	loginUserSize = 32
	loginLine     = 36
	loginLineSize = 32
	loginPID      = 68
	loginSeconds  = 80
	loginMicros   = 84
	loginHost     = 114
)

// Sessions implements [platform.Inspector].
func (b *backend) Sessions(ctx context.Context) ([]platform.Session, error) {
	p, err := b.view(ctx)
	if err != nil {
		return nil, err
	}
	records, err := p.kernel.File(loginPath)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", loginPath, err)
	}
	sessions := []platform.Session{}
	eachLogin(records, func(b []byte) { sessions = append(sessions, decodeSession(b)) })
	return sessions, nil
}

// decodeSession describes one who is logged in.
func decodeSession(b []byte) platform.Session {
	return platform.Session{User: string(cString(b[loginUser:loginUserSize])), Terminal: string(cString(b[loginLine : loginLine+loginLineSize])),
		Host: string(cString(b[loginHost:loginSize])), PID: uint64(layout.U32(b, loginPID)),
		Started: time.Unix(int64(int32(layout.U32(b, loginSeconds))), int64(int32(layout.U32(b, loginMicros)))*1000)}
}
