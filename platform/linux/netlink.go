package linux

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// Offsets in struct nlmsghdr (man 7 netlink), and in struct nlattr.
const (
	netlinkLength = 0 // nlmsg_len, 4 bytes
	netlinkType   = 4 // nlmsg_type, 2
	netlinkFlags  = 6 // nlmsg_flags, 2
	netlinkHeader = 16

	attributeLength = 0 // nla_len, 2 bytes
	attributeType   = 2 // nla_type, 2
	attributeHeader = 4
)

// Types and flags of messages.
const (
	netlinkError       = 2
	netlinkDone        = 3
	netlinkRequest     = 0x1
	netlinkInterrupted = 0x10 // NLM_F_DUMP_INTR, since Linux 3.1
	netlinkDump        = 0x300
	attributeTypeMask  = 0x3fff // the rest is flags
)

// netlinkSize holds any datagram of a dump (NLMSG_GOODSIZE in
// include/linux/netlink.h is at most 8 KiB, and dumps go up to 32 KiB).
const netlinkSize = 64 << 10

// mostDumps is how often a table is asked for that changes while it is told. The last
// answer is taken as it is: it may lack what came meanwhile, or tell it twice.
const mostDumps = 3

// dump asks for all objects of a kind and hands each message of the answer to each,
// lent until it returns. Before it begins, again for an answer that was interrupted, it
// calls begin. buf holds a datagram at a time.
func dump(calls Caller, protocol int, request, buf []byte, begin func(), each func(kind uint16, payload []byte)) error {
	fd, err := calls.OpenNetlink(protocol)
	if err != nil {
		return err
	}
	defer calls.Close(fd)
	for range mostDumps {
		begin()
		var a answerState
		if err := calls.Write(fd, request); err != nil {
			return fmt.Errorf("netlink request: %w", err)
		}
		for !a.done {
			n, err := calls.Read(fd, buf)
			if err != nil {
				return fmt.Errorf("netlink answer: %w", late(err))
			}
			if err := decodeNetlink(buf[:n], &a, each); err != nil {
				return err
			}
		}
		if !a.interrupted {
			break
		}
	}
	return nil
}

// late names an answer that did not come.
func late(err error) error {
	if timeout := (interface{ Timeout() bool })(nil); errors.As(err, &timeout) && timeout.Timeout() {
		return os.ErrDeadlineExceeded
	}
	return err
}

// answerState is how far an answer has come.
type answerState struct {
	done        bool // nothing follows
	interrupted bool // what it tells of changed meanwhile
}

// dumpRequest encodes a request.
func dumpRequest(kind uint16, body []byte) []byte {
	b := make([]byte, netlinkHeader, netlinkHeader+len(body))
	binary.NativeEndian.PutUint32(b[netlinkLength:], uint32(netlinkHeader+len(body)))
	binary.NativeEndian.PutUint16(b[netlinkType:], kind)
	binary.NativeEndian.PutUint16(b[netlinkFlags:], netlinkRequest|netlinkDump)
	return append(b, body...)
}

// decodeNetlink takes the messages of one datagram apart. The answer is done with its
// last message. An empty datagram is none that the kernel sends.
func decodeNetlink(b []byte, a *answerState, each func(kind uint16, payload []byte)) error {
	if len(b) < netlinkHeader {
		a.done = true
		return errContent
	}
	for len(b) >= netlinkHeader {
		length := int(binary.NativeEndian.Uint32(b[netlinkLength:]))
		if length < netlinkHeader || length > len(b) {
			a.done = true
			return errContent
		}
		kind, payload := binary.NativeEndian.Uint16(b[netlinkType:]), b[netlinkHeader:length]
		if binary.NativeEndian.Uint16(b[netlinkFlags:])&netlinkInterrupted != 0 {
			a.interrupted = true
		}
		switch kind {
		case netlinkDone:
			a.done = true
			return nil
		case netlinkError:
			a.done = true
			return netlinkFailure(payload)
		}
		each(kind, payload)
		b = b[min(aligned(length), len(b)):]
	}
	return nil
}

// netlinkFailure reads struct nlmsgerr, which begins with a negative errno.
func netlinkFailure(payload []byte) error {
	if len(payload) < 4 {
		return errContent
	}
	switch errno := -int32(binary.NativeEndian.Uint32(payload)); errno {
	case 0:
		return nil
	case 1, 13: // EPERM, EACCES
		return fs.ErrPermission
	case 2, 93, 95: // ENOENT, EPROTONOSUPPORT, EOPNOTSUPP: there is no such table
		return errors.ErrUnsupported
	default:
		return fmt.Errorf("netlink: error %d", errno)
	}
}

// aligned rounds a length up to where the next message or attribute begins.
func aligned(n int) int { return (n + 3) &^ 3 }

// decodeAttributes hands on each attribute.
func decodeAttributes(b []byte, each func(kind uint16, value []byte)) {
	for len(b) >= attributeHeader {
		length := int(binary.NativeEndian.Uint16(b[attributeLength:]))
		if length < attributeHeader || length > len(b) {
			return
		}
		each(binary.NativeEndian.Uint16(b[attributeType:])&attributeTypeMask, b[attributeHeader:length])
		b = b[min(aligned(length), len(b)):]
	}
}
