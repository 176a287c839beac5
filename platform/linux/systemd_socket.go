package linux

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/pidometer/pidometer/platform"
)

// systemdOccurrences is systemd on the system bus, or by itself where there is no bus.
var systemdOccurrences = platform.OccurrenceSource{
	Name: systemdName, Tells: platform.KindsOf(platform.ServiceChanged),
	Needs: "systemd, and its system bus; without a bus root, for /run/systemd/private",
}

const (
	// Sockets under the root of the view. The second is systemd's own, to which it lets
	// root alone; it is there before and without a bus.
	busSocket     = "run/dbus/system_bus_socket"
	privateSocket = "run/systemd/private"
	// busVariable is where else the system bus may be (D-Bus Specification, "Well-known
	// Message Bus Instances").
	busVariable = "DBUS_SYSTEM_BUS_ADDRESS"

	// busAgain is how long a lost connection stays lost. systemd cuts those to itself
	// when it executes itself anew, as its update does.
	busAgain = 5 * time.Second
	// busMost is how many times one Read reads from the socket.
	busMost = 256
)

// busPlace is a socket to connect to.
type busPlace struct {
	path   string
	direct bool
}

// systemdSocket is the connection to systemd.
type systemdSocket struct {
	*watch
	services systemdServices
	place    busPlace
	fd       int   // -1 while there is none
	again    int64 // when to connect anew, in nanoseconds since boot
}

func openSystemd(w *watch) (listener, error) {
	var failed error
	for _, place := range w.busPlaces(os.Getenv(busVariable)) {
		s, err := w.openBus(place)
		if err == nil {
			return s, nil
		}
		failed = errors.Join(failed, err)
	}
	return nil, failed
}

// busPlaces returns where systemd may be reached, the best place first.
func (w *watch) busPlaces(variable string) []busPlace {
	root := strings.TrimSuffix(w.backend.options.Root, "/") + "/"
	bus := root + busSocket
	if socket, ok := decodeDBusAddress(variable); ok && root == "/" {
		bus = socket
	}
	return []busPlace{{bus, false}, {root + privateSocket, true}}
}

// openBus connects, and waits a moment for the answer. Who is let in and hears nothing
// until then, as while the machine boots, listens all the same.
func (w *watch) openBus(place busPlace) (*systemdSocket, error) {
	s := &systemdSocket{watch: w, place: place, fd: -1}
	s.services.direct = place.direct
	err := s.connect()
	if err == nil {
		err = s.answered()
	}
	if err == nil {
		err = w.listen(s.fd, ToRead, s)
	}
	if err != nil {
		s.close()
		return nil, fmt.Errorf("%s: %w", place.path, busError(err))
	}
	return s, nil
}

// busError says what an error means, and what helps.
func busError(err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Errorf("%w: nobody listens there; a container has the socket only if it is mounted", errors.ErrUnsupported)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%w: only root may connect there", err)
	}
	return err
}

// connect connects, and begins to authenticate.
func (s *systemdSocket) connect() error {
	fd, peer, err := s.kernel.Connect(s.place.path)
	if err != nil {
		return err
	}
	s.fd = fd
	real, _ := s.kernel.Clocks()
	s.services.start = nil
	if peer != 0 || strings.TrimSuffix(s.backend.options.Root, "/") != "" {
		s.services.start = func(pid uint64) uint64 { return s.startOf(pid, nil) }
	}
	s.services.connected(s.kernel.UID(), time.Unix(0, real))
	return s.send()
}

// send writes what there is to write.
func (s *systemdSocket) send() error {
	out := &s.services.client.out
	if len(out.b) == 0 {
		return nil
	}
	err := s.kernel.Send(s.fd, out.b)
	out.b = out.b[:0]
	return err
}

// answered waits until the services are known, or the budget is spent.
func (s *systemdSocket) answered() error {
	poll, err := s.kernel.OpenPoll()
	if err != nil {
		return err
	}
	defer poll.Close()
	if err = poll.Add(s.fd, ToRead, s); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), cmp.Or(s.backend.options.Budget, defaultBudget))
	defer cancel()
	for !s.services.ready {
		if poll.Wait(ctx) != nil {
			break
		}
		if err = s.receive(func(*platform.Occurrence) {}); err != nil {
			return err
		}
	}
	if !s.services.client.open {
		return os.ErrDeadlineExceeded
	}
	return nil
}

// receive takes what has arrived.
func (s *systemdSocket) receive(yield func(*platform.Occurrence)) error {
	for range busMost {
		n, err := s.kernel.Read(s.fd, s.services.client.room())
		if errors.Is(err, syscall.EAGAIN) {
			return nil
		}
		if err == nil && n == 0 {
			err = io.ErrUnexpectedEOF
		}
		if err == nil {
			err = s.services.take(n, yield)
		}
		if err == nil {
			err = s.send()
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// drain takes what has arrived. A connection that is lost is made anew by a later Read,
// which then tells what has changed meanwhile.
func (s *systemdSocket) drain(_ bool, yield func(*platform.Occurrence)) error {
	_, now := s.kernel.Clocks()
	if s.fd < 0 {
		if now < s.again || s.reconnect() != nil {
			return nil
		}
	}
	err := s.receive(yield)
	if err == nil {
		return nil
	}
	s.lose(now)
	yield(&platform.Occurrence{Kind: platform.OccurrencesLost})
	if errors.Is(err, errors.ErrUnsupported) || errors.Is(err, fs.ErrPermission) || errors.Is(err, errNotDBus) {
		return fmt.Errorf("%s: %w: %w", s.place.path, errDeaf, err)
	}
	return fmt.Errorf("%s: the connection is lost, and will be made anew: %w", s.place.path, err)
}

// lose closes the connection. No descriptor tells of it until there is another one.
func (s *systemdSocket) lose(now int64) {
	s.close()
	s.again = now + int64(busAgain)
	s.silent = append(omit(s.silent, s), s)
}

func (s *systemdSocket) reconnect() error {
	err := s.connect()
	if err == nil {
		err = s.listen(s.fd, ToRead, s)
	}
	if err != nil {
		_, now := s.kernel.Clocks()
		s.lose(now)
		return err
	}
	s.silent = omit(s.silent, s)
	return nil
}

func (s *systemdSocket) close() {
	if s.fd >= 0 {
		s.kernel.Close(s.fd)
		s.fd = -1
	}
}
