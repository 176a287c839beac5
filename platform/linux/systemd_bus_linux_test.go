package linux

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pidometer/pidometer/platform"
)

// busConfig lets everybody in and do everything, as a test of a client may.
const busConfig = `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>system</type>
  <listen>unix:path=%s</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="false"/>
    <allow eavesdrop="false"/>
    <allow own="*"/>
    <allow user="*"/>
  </policy>
</busconfig>
`

// startBus starts a dbus-daemon under a root of its own, and returns that root.
func startBus(t *testing.T) (root string) {
	t.Helper()
	daemon, err := exec.LookPath("dbus-daemon")
	if err != nil {
		t.Skipf("no bus: %v", err)
	}
	root, err = os.MkdirTemp("", "bus") // the path of a socket has 107 bytes at most
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(root) })
	for path, content := range map[string]string{
		"proc/stat": "btime 1700000000\n", busSocket + ".d": "/",
		"bus.conf": fmt.Sprintf(busConfig, filepath.Join(root, busSocket)),
	} {
		if err := writeEntry(filepath.Join(root, path), content); err != nil {
			t.Fatal(err)
		}
	}
	bus := exec.Command(daemon, "--config-file="+filepath.Join(root, "bus.conf"), "--nofork", "--nopidfile", "--print-address")
	out, err := bus.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var complaints bytes.Buffer
	bus.Stderr = &complaints
	if err := bus.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		bus.Process.Kill()
		bus.Wait()
	})
	if _, err := bufio.NewReader(out).ReadString('\n'); err != nil { // it listens
		bus.Wait()
		t.Skipf("dbus-daemon does not start here: %s", complaints.String())
	}
	return root
}

// busPeer is the connection of somebody who plays systemd on a real bus.
type busPeer struct {
	t     *testing.T
	conn  net.Conn
	play  *fakeBus
	out   dbusWriter
	calls uint32

	client string // who called
}

func openBusPeer(t *testing.T, root, name string) *busPeer {
	t.Helper()
	conn, err := net.Dial("unix", filepath.Join(root, busSocket))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	s := &busPeer{t: t, conn: conn, play: newFakeBus()}
	fmt.Fprintf(conn, "\x00AUTH EXTERNAL %x\r\n", fmt.Sprint(os.Geteuid()))
	line := make([]byte, 256)
	if n, err := conn.Read(line); err != nil || !strings.HasPrefix(string(line[:n]), "OK ") {
		t.Fatalf("%q, %v", line[:n], err)
	}
	io.WriteString(conn, "BEGIN\r\n")
	s.call(busMethod("Hello"))
	if name != "" {
		own := busMethod("RequestName")
		own.signature, own.text = "su", name
		s.call(own)
	}
	return s
}

// call makes a call and waits for the answer.
func (s *busPeer) call(m dbusMethod) slowMessage {
	s.t.Helper()
	s.calls++
	if m.signature == "su" { // RequestName takes flags, which the client never sends
		b := wireMessage(binary.LittleEndian, dbusCall, s.calls, []any{header(dbusPath, "o", m.path), header(dbusInterface, "s", m.iface),
			header(dbusMember, "s", m.member), header(dbusDestination, "s", m.destination), header(dbusSignature, "g", types("su"))}, m.text, uint32(0))
		s.write(b)
	} else {
		s.out = dbusWriter{}
		s.out.call(s.calls, m)
		s.write(s.out.b)
	}
	for {
		if got := s.read(); got.answers == s.calls {
			if got.kind != dbusReturn {
				s.t.Fatalf("%s: %s", m.member, got.failed)
			}
			return got
		}
	}
}

func (s *busPeer) write(b []byte) {
	if _, err := s.conn.Write(b); err != nil {
		s.t.Error(err)
	}
}

// read returns the next message.
func (s *busPeer) read() slowMessage {
	head := make([]byte, dbusPrefix)
	if _, err := io.ReadFull(s.conn, head); err != nil {
		return slowMessage{kind: dbusError}
	}
	size, _ := decodeDBusSize(head)
	b := append(head, make([]byte, size-len(head))...)
	io.ReadFull(s.conn, b[dbusPrefix:])
	m, ok := slowDBus(string(b))
	if !ok {
		s.t.Errorf("the bus sends %q", b)
	}
	return m
}

// serve answers calls until the units were listed.
func (s *busPeer) serve(listed ...string) {
	s.play.listed = listed
	for {
		call := s.read()
		if call.kind != dbusCall {
			continue
		}
		s.client = call.from
		s.tell(s.play.answer(call.member, call.serial), call.from)
		if strings.HasPrefix(call.member, "ListUnits") {
			return
		}
	}
}

// tell sends a message: to one, or to all who want it.
func (s *busPeer) tell(m wire, to string) {
	s.calls++
	m.serial, m.from, m.to = s.calls, "", to
	s.write(little(m))
}

// A real bus passes on what somebody says who calls himself systemd, and keeps back what
// nobody asked for; others who speak to this client alone are not believed.
func TestLiveBus(t *testing.T) {
	root := startBus(t)
	systemd := openBusPeer(t, root, systemdName)
	served := make(chan struct{})
	go func() {
		defer close(served)
		systemd.serve("a.service active The title", "b.service inactive")
	}()
	b, err := New(Options{Root: root})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	w := watching(t, b.(platform.Watcher), platform.ServiceChanged)
	if tier := tierOf(t, w, systemdName); tier.Err != nil {
		t.Fatal(tier.Err)
	}
	<-served

	liar := openBusPeer(t, root, "")
	liar.tell(state("a_2eservice", "failed", 1), systemd.client)
	liar.call(ownerOfSystemd()) // the bus has passed it on
	systemd.tell(process("a_2eservice", serviceProcesses{0, 5, 2, 11, 1 << 60}), "")
	systemd.tell(state("a_2eservice", "failed", 1795419337875923), "")
	systemd.tell(state("b_2eservice", "active", 1795419337875924), "")
	all := hear(t, w, func(h heard) bool { return h.Key.Name == "b.service" })
	wantBrief(t, "what systemd said", all, "a.service failed<-active 5/0 code 0 signal 11 core false", "b.service active<-inactive")
}
