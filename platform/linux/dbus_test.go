package linux

import (
	"errors"
	"io/fs"
	"net/url"
	"strings"
	"testing"
)

func TestDecodeDBusAddress(t *testing.T) {
	for list, want := range map[string]string{
		"unix:path=/run/dbus/system_bus_socket":                   "/run/dbus/system_bus_socket",
		"unix:path=/a%20b,guid=0a1b":                              "/a b",
		"tcp:host=x,port=1;unix:guid=0,abstract=bus;unix:path=/b": "@bus",
		"unix:tmpdir=/tmp;unixexec:path=/bin/sh;unix:path=/b":     "/b",
		"unix:path=%zz;unix:path=":                                "", "unix:path=/a%00b": "", "": "", "tcp:host=x": "",
	} {
		if socket, ok := decodeDBusAddress(list); ok != (want != "") || socket != want {
			t.Errorf("%s: %q, %v", list, socket, ok)
		}
	}
}

// slowDBusAddress is decodeDBusAddress from the end.
func slowDBusAddress(list string) (socket string) {
	addresses := strings.Split(list, ";")
	for i := len(addresses) - 1; i >= 0; i-- {
		if !strings.HasPrefix(addresses[i], "unix:") {
			continue
		}
		options := strings.Split(addresses[i][len("unix:"):], ",")
		for j := len(options) - 1; j >= 0; j-- {
			for prefix, mark := range map[string]string{"path=": "", "abstract=": "@"} {
				value, err := url.PathUnescape(strings.TrimPrefix(options[j], prefix))
				if strings.HasPrefix(options[j], prefix) && err == nil && value != "" && !strings.Contains(value, "\x00") {
					socket = mark + value
				}
			}
		}
	}
	return socket
}

func FuzzDecodeDBusAddress(f *testing.F) {
	f.Add("tcp:host=x,port=1;unix:guid=0,abstract=bus;unix:path=/b%20c")
	f.Fuzz(func(t *testing.T, list string) {
		socket, ok := decodeDBusAddress(list)
		if want := slowDBusAddress(list); socket != want || ok != (want != "") {
			t.Fatalf("%q, %v, want %q", socket, ok, want)
		}
	})
}

// conversation feeds a client with what another end says, in pieces.
type conversation struct {
	client  dbusClient
	begun   int
	members []string
}

func (c *conversation) say(b []byte, piece int) error {
	for len(b) > 0 {
		n := copy(c.client.room(), b[:min(piece, len(b))])
		b = b[n:]
		if err := c.client.take(n, func() { c.begun++ }, func(m *dbusMessage) { c.members = append(c.members, string(m.member)) }); err != nil {
			return err
		}
	}
	return nil
}

func TestDBusClient(t *testing.T) {
	var talk []byte
	for _, member := range []string{"One", "Two", "Three"} {
		talk = append(talk, little(wire{kind: dbusSignal, path: "/", iface: "a.b", member: member})...)
	}
	long := wire{kind: dbusSignal, path: "/", iface: "a.b", member: "Long", signature: "s", body: []any{strings.Repeat("x", dbusLimit)}}
	talk = append(talk, little(long)...)
	broken := little(wire{kind: dbusSignal, path: "/", iface: "a.b", member: "Broken"})
	broken[16] = 99 // the code of a field whose type does not fit
	broken[17] = 200
	talk = append(append(talk, broken...), little(removed("a"))...)
	for _, piece := range []int{1 << 20, 4096, 1000, 7} {
		var c conversation
		c.client.start(1000)
		if got := string(c.client.out.b); got != "\x00AUTH EXTERNAL 31303030\r\n" {
			t.Fatalf("%q", got)
		}
		err := c.say(append([]byte("OK 0123\r\n"), talk...), piece)
		if got := strings.Join(c.members, " "); err != nil || c.begun != 1 || got != "One Two Three UnitRemoved" {
			t.Errorf("in pieces of %d: %v, begun %d times, %s", piece, err, c.begun, got)
		}
		if !strings.HasSuffix(string(c.client.out.b), "\r\nBEGIN\r\n") || len(c.client.in) != 0 {
			t.Errorf("%q, and %d bytes are left", c.client.out.b, len(c.client.in))
		}
	}
}

func TestDBusClientRefused(t *testing.T) {
	for said, want := range map[string]error{
		"REJECTED EXTERNAL\r\n": fs.ErrPermission, "ERROR\r\n": errNotDBus, "HTTP/1.1 400 Bad Request\r\n\r\n": errNotDBus,
		strings.Repeat("x", 2*dbusLine): errNotDBus, "OK\r\nHTTP/1.1 200 OK\r\n\r\n": errNotDBus,
	} {
		var c conversation
		c.client.start(0)
		if err := c.say([]byte(said), 100); !errors.Is(err, want) {
			t.Errorf("%.40q: %v, want %v", said, err, want)
		}
	}
	var c conversation
	if err := c.say([]byte("OK 0123"), 100); err != nil || c.client.open {
		t.Errorf("let in by half a line: %v", err)
	}
}
