package inspect

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/pidometer/pidometer/exporter/cmd/pidometer/internal/table"
	"github.com/pidometer/pidometer/platform"
	"github.com/pidometer/pidometer/semconv"
)

// Host is what describes a host and is no metric.
type Host struct {
	Interfaces []hostInterface `json:"interfaces"`
	Mounts     []mount         `json:"mounts"`
	Sessions   []session       `json:"sessions"`
}

type hostInterface struct {
	Name      string        `json:"name"`
	Index     int           `json:"index"`
	Up        bool          `json:"up"`
	Flags     []string      `json:"flags"`
	MTU       *uint64       `json:"mtu,omitempty"`
	Speed     *uint64       `json:"speed,omitempty"` // bits per second
	Duplex    string        `json:"duplex,omitempty"`
	Hardware  string        `json:"hardware_address,omitempty"`
	Addresses []hostAddress `json:"addresses"`
}

type hostAddress struct {
	Address   string `json:"address"`
	Netmask   string `json:"netmask"`
	Broadcast string `json:"broadcast,omitempty"`
	Peer      string `json:"peer,omitempty"`
}

type mount struct {
	Device  string `json:"device"`
	Point   string `json:"mountpoint"`
	Type    string `json:"type"`
	Options string `json:"options"`
}

type session struct {
	User     string    `json:"user"`
	Terminal string    `json:"terminal,omitempty"`
	Host     string    `json:"host,omitempty"`
	Started  time.Time `json:"started"`
	PID      uint64    `json:"pid,omitempty"`
}

// GatherHost reads what describes the host.
func GatherHost(ctx context.Context, b platform.Backend) (*Host, error) {
	inspector, ok := b.(platform.Inspector)
	if !ok {
		return nil, fmt.Errorf("details of the host: %w", errors.ErrUnsupported)
	}
	interfaces, failed := inspector.Interfaces(ctx)
	mounts, err := inspector.Mounts(ctx)
	sessions, none := inspector.Sessions(ctx)
	if errors.Is(none, errors.ErrUnsupported) {
		none = nil // a system that keeps no book of its users has none to tell of
	}
	if err := errors.Join(failed, err, none); err != nil {
		return nil, err
	}
	h := &Host{Interfaces: []hostInterface{}, Mounts: []mount{}, Sessions: []session{}}
	for _, i := range interfaces {
		h.Interfaces = append(h.Interfaces, interfaceOf(i))
	}
	for _, m := range mounts {
		h.Mounts = append(h.Mounts, mount{semconv.Spell(m.Source), semconv.Spell(m.Point), semconv.Spell(m.Type), semconv.Spell(m.Options)})
	}
	for _, s := range sessions {
		h.Sessions = append(h.Sessions, session{semconv.Spell(s.User), semconv.Spell(s.Terminal), semconv.Spell(s.Host), s.Started.UTC(), s.PID})
	}
	return h, nil
}

func interfaceOf(i platform.Interface) hostInterface {
	out := hostInterface{Name: semconv.Spell(i.Name), Index: i.Index, Up: i.Up, Flags: append([]string{}, i.Flags...),
		MTU: i.MTU, Speed: i.Speed, Duplex: i.Duplex, Hardware: net.HardwareAddr(i.Hardware).String(), Addresses: []hostAddress{}}
	for _, a := range i.Addresses {
		address := hostAddress{Address: a.IP.String(), Netmask: a.Netmask().String()}
		if a.Broadcast.IsValid() {
			address.Broadcast = a.Broadcast.String()
		}
		if a.Peer.IsValid() {
			address.Peer = a.Peer.String()
		}
		out.Addresses = append(out.Addresses, address)
	}
	return out
}

// Listing writes the document for people.
func (h *Host) Listing(w io.Writer) error {
	l := newListing()
	for _, i := range h.Interfaces {
		l.line(table.Printable(i.Name), i.words()...)
		for _, a := range i.Addresses {
			l.line("", a.words()...)
		}
	}
	l.rows("mounts", []string{"MOUNTED ON", "TYPE", "DEVICE", "OPTIONS"}, cells(&h.Mounts, func(m mount) []string {
		return []string{table.Printable(m.Point), table.Printable(m.Type), table.Printable(m.Device), table.Printable(m.Options)}
	}))
	l.rows("sessions", []string{"USER", "TERMINAL", "FROM", "SINCE", "PID"}, cells(&h.Sessions, func(s session) []string {
		return []string{table.Printable(s.User), dash(table.Printable(s.Terminal)), dash(table.Printable(s.Host)), minute(s.Started), dash(number(&s.PID))}
	}))
	return l.write(w)
}

func (i *hostInterface) words() []string {
	words := []string{strings.Join(i.Flags, ","), i.Hardware, i.Duplex}
	if i.MTU != nil {
		words = append(words, "mtu "+number(i.MTU))
	}
	if i.Speed != nil {
		words = append(words, strconv.FormatUint(*i.Speed/1e6, 10)+" Mbit/s")
	}
	return words
}

func (a *hostAddress) words() []string {
	words := []string{a.Address, "netmask " + a.Netmask}
	if a.Broadcast != "" {
		words = append(words, "broadcast "+a.Broadcast)
	}
	if a.Peer != "" {
		words = append(words, "peer "+a.Peer)
	}
	return words
}
