package linux

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
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
	netlinkError      = 2
	netlinkDone       = 3
	netlinkRequest    = 0x1
	netlinkDump       = 0x300
	attributeTypeMask = 0x3fff // the rest is flags
)

// dump asks for all objects of a kind and hands each message of the answer to each,
// lent until it returns.
func dump(calls Caller, protocol int, kind uint16, body []byte, each func(kind uint16, payload []byte)) error {
	var failed error
	done := false
	err := calls.Netlink(protocol, dumpRequest(kind, body), func(datagram []byte) bool {
		done, failed = decodeNetlink(datagram, each)
		return !done && failed == nil
	})
	return errors.Join(err, failed)
}

// dumpRequest encodes a request.
func dumpRequest(kind uint16, body []byte) []byte {
	b := make([]byte, netlinkHeader, netlinkHeader+len(body))
	binary.NativeEndian.PutUint32(b[netlinkLength:], uint32(netlinkHeader+len(body)))
	binary.NativeEndian.PutUint16(b[netlinkType:], kind)
	binary.NativeEndian.PutUint16(b[netlinkFlags:], netlinkRequest|netlinkDump)
	return append(b, body...)
}

// decodeNetlink takes the messages of one datagram apart. It is done with the last
// message of the whole answer.
func decodeNetlink(b []byte, each func(kind uint16, payload []byte)) (done bool, err error) {
	for len(b) >= netlinkHeader {
		length := int(binary.NativeEndian.Uint32(b[netlinkLength:]))
		if length < netlinkHeader || length > len(b) {
			return true, errContent
		}
		kind, payload := binary.NativeEndian.Uint16(b[netlinkType:]), b[netlinkHeader:length]
		switch kind {
		case netlinkDone:
			return true, nil
		case netlinkError:
			return true, netlinkFailure(payload)
		}
		each(kind, payload)
		b = b[min(aligned(length), len(b)):]
	}
	return false, nil
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
