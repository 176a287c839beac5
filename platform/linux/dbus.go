package linux

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"strconv"
	"strings"
)

// dbusClient is one end of a connection to a bus, or to a peer, without the socket: it
// is fed with what was read, and out holds what is to be written.
type dbusClient struct {
	open   bool   // the other end has let us in
	in     []byte // read and not yet looked at
	skip   int    // bytes of a message too long to be kept that are yet to come
	out    dbusWriter
	serial uint32 // of the last call
}

const (
	// dbusLimit is how long a message may be that is kept. A unit takes some 250 bytes
	// in a list of units (measured with systemd 252), so that 16,000 fit.
	dbusLimit = 4 << 20
	// dbusRoom is how much is read at once.
	dbusRoom = 16 << 10
	// dbusLine is how long a line may be before the messages begin.
	dbusLine = 4096
)

var (
	errDBusRefused = fmt.Errorf("the bus refuses this user: %w", fs.ErrPermission)
	errNotDBus     = errors.New("the answer is not that of D-Bus")
)

// start begins with the authentication of a user by the credentials of the socket (D-Bus
// Specification, "EXTERNAL"): a NUL byte, and the user ID in hexadecimal decimal digits.
func (c *dbusClient) start(uid int) {
	*c = dbusClient{in: c.in[:0], out: dbusWriter{b: c.out.b[:0]}}
	c.out.b = append(c.out.b, "\x00AUTH EXTERNAL "...)
	c.out.b = append(hex.AppendEncode(c.out.b, []byte(strconv.Itoa(uid))), "\r\n"...)
}

// call adds a call to what is to be written, and returns its serial.
func (c *dbusClient) call(m dbusMethod) uint32 {
	c.serial++
	c.out.call(c.serial, m)
	return c.serial
}

// room returns where to read to.
func (c *dbusClient) room() []byte {
	if cap(c.in)-len(c.in) < dbusRoom {
		grown := make([]byte, len(c.in), 2*cap(c.in)+dbusRoom)
		copy(grown, c.in)
		c.in = grown
	}
	return c.in[len(c.in) : len(c.in)+dbusRoom]
}

// take takes n bytes that were read to room. Each whole message among them is handed
// over; begin is called once, when calls may be made.
func (c *dbusClient) take(n int, begin func(), handle func(*dbusMessage)) error {
	c.in = c.in[:len(c.in)+n]
	rest := c.in
	if !c.open {
		var err error
		if rest, err = c.admitted(rest); err != nil || !c.open {
			return err
		}
		begin()
	}
	rest, err := c.messages(rest, handle)
	c.in = c.in[:copy(c.in, rest)]
	if len(c.in) == 0 && cap(c.in) > 4*dbusRoom {
		c.in = nil // a long message is not kept room for
	}
	return err
}

// admitted reads the answer to the authentication.
func (c *dbusClient) admitted(b []byte) (rest []byte, err error) {
	line, rest, ended := bytes.Cut(b, []byte("\r\n"))
	switch {
	case !ended && len(b) > dbusLine:
		return nil, errNotDBus
	case !ended:
		return b, nil
	case bytes.HasPrefix(line, []byte("OK")):
		c.open = true
		c.out.b = append(c.out.b, "BEGIN\r\n"...)
		return rest, nil
	case bytes.HasPrefix(line, []byte("REJECTED")):
		return nil, errDBusRefused
	}
	return nil, errNotDBus
}

// messages hands over the whole messages of b, and returns what is left.
func (c *dbusClient) messages(b []byte, handle func(*dbusMessage)) (rest []byte, err error) {
	var m dbusMessage
	for {
		n := min(c.skip, len(b))
		c.skip, b = c.skip-n, b[n:]
		if len(b) < dbusPrefix {
			return b, nil
		}
		size, ok := decodeDBusSize(b)
		switch {
		case !ok:
			return nil, errNotDBus
		case size > dbusLimit:
			c.skip = size
			continue
		case size > len(b):
			return b, nil
		}
		// A message that does not fit its own lengths says nothing of the next.
		if decodeDBus(b[:size], &m) {
			handle(&m)
		}
		b = b[size:]
	}
}

// decodeDBusAddress returns the first socket of a list of addresses that this client
// can connect to (D-Bus Specification, "Server Addresses"). The name of an abstract
// socket begins with @.
//
//	unix:path=/run/dbus/system_bus_socket,guid=0a1b;unix:abstract=bus
func decodeDBusAddress(list string) (socket string, ok bool) {
	for address := range strings.SplitSeq(list, ";") {
		options, found := strings.CutPrefix(address, "unix:")
		if !found {
			continue
		}
		for option := range strings.SplitSeq(options, ",") {
			name, value, _ := strings.Cut(option, "=")
			value, err := url.PathUnescape(value)
			switch {
			case err != nil || value == "" || strings.ContainsRune(value, 0):
			case name == "path":
				return value, true
			case name == "abstract":
				return "@" + value, true
			}
		}
	}
	return "", false
}
