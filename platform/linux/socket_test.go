package linux

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"testing"

	"github.com/pidometer/pidometer/platform"
)

// diagnosed is a tree whose kernel has sock_diag.
type diagnosed struct {
	*treeKernel
	sockets map[byte][]byte // states by family
	fail    error           // of opening
	asked   []byte          // families
}

const diagHandle = 1 << 20

func (k *diagnosed) Affinity(uint64, []byte) (int, error) { return 0, errors.ErrUnsupported }
func (k *diagnosed) IOPriority(uint64) (uint64, error)    { return 0, errors.ErrUnsupported }

func (k *diagnosed) OpenNetlink(protocol int) (int, error) {
	if protocol != protocolDiag {
		return -1, fmt.Errorf("asks protocol %d", protocol)
	}
	k.asked = append(k.asked, 0)
	return diagHandle, k.fail
}

func (k *diagnosed) Write(_ int, b []byte) error {
	k.asked[len(k.asked)-1] = b[netlinkHeader+diagReqFamily]
	if states := binary.NativeEndian.Uint32(b[netlinkHeader+diagReqStates:]); states != diagAll {
		return fmt.Errorf("asks for the states %x", states)
	}
	return nil
}

// Read answers with one datagram.
func (k *diagnosed) Read(fd int, buf []byte) (int, error) {
	if fd != diagHandle {
		return k.treeKernel.Read(fd, buf)
	}
	var all []byte
	states, has := k.sockets[k.asked[len(k.asked)-1]]
	for _, state := range states {
		body := make([]byte, diagSize)
		body[diagState] = state
		all = append(all, dumpRequest(diagByFamily, body)...)
	}
	last := dumpRequest(netlinkDone, nil)
	if !has {
		last = dumpRequest(netlinkError, binary.NativeEndian.AppendUint32(nil, ^uint32(2)+1))
	}
	return copy(buf, append(all, last...)), nil
}

func (k *diagnosed) Close(fd int) error {
	if fd == diagHandle {
		return nil
	}
	return k.treeKernel.Close(fd)
}

// tcpFields are the states of TCP by the kernel's numbers, from 1 on.
var tcpFields = [...]platform.Field{
	platform.HostTCPEstablished, platform.HostTCPSynSent, platform.HostTCPSynReceived, platform.HostTCPFinWait1,
	platform.HostTCPFinWait2, platform.HostTCPTimeWait, platform.HostTCPClosed, platform.HostTCPCloseWait,
	platform.HostTCPLastAck, platform.HostTCPListen, platform.HostTCPClosing,
}

// TestTCPSource takes the table where sock_diag tells nothing, and remembers what will
// never change.
func TestTCPSource(t *testing.T) {
	const file = "  sl\n   0: 0100007F:07E8 00000000:0000 06 00000000:00000000 00:00000000 00000000     0        0 452 1\n"
	listen, waiting := map[platform.Field]uint64{platform.HostTCPListen: 3}, map[platform.Field]uint64{platform.HostTCPTimeWait: 1}
	for _, test := range []struct {
		why     string
		o       Options
		sockets map[byte][]byte
		fail    error
		asked   []byte // in two passes
		want    map[platform.Field]uint64
	}{
		{"both families", Options{}, map[byte][]byte{2: {10, 10}, 10: {10}}, nil, []byte{2, 10, 2, 10}, listen},
		{"no IPv6", Options{}, map[byte][]byte{2: {10, 10, 10}}, nil, []byte{2, 10, 2, 10}, listen},
		{"no module", Options{}, map[byte][]byte{}, nil, []byte{2}, waiting},
		{"refused", Options{}, nil, fs.ErrPermission, []byte{0}, waiting},
		{"an answer of rubbish", Options{}, nil, errContent, []byte{0, 0}, waiting},
		{"another root", Options{Root: "/host"}, map[byte][]byte{2: {10}}, nil, nil, waiting},
	} {
		k := &diagnosed{newTreeKernel(writeTree(t, map[string]string{"proc/net/tcp": file})), test.sockets, test.fail, nil}
		b := treeBackend(k.treeKernel, test.o)
		b.kernel = k
		for range 2 {
			c := readTree(t, b, sourcesOf(fromTCP))
			for _, f := range tcpFields {
				if v, ok := c.of(platform.Host)[0].fields[f]; !ok || v != test.want[f] {
					t.Errorf("%s: %v is %d, %v, want %d", test.why, f, v, ok, test.want[f])
				}
			}
		}
		if !slices.Equal(k.asked, test.asked) {
			t.Errorf("%s: asked for the families %d, want %d", test.why, k.asked, test.asked)
		}
	}
}
