package windows

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/pidometer/pidometer/internal/text"
	"github.com/pidometer/pidometer/platform"
)

func checkServices(t *testing.T, b []byte, word int) {
	t.Helper()
	size, i := map[int]int{8: 56, 4: 44}[word], 0
	whole := decodeServices(b, tableBase, word, 2, func(s *service) bool {
		at := i * size
		i++
		state := sure(b, at+2*word+4, 4)
		if state > 7 {
			state = 0
		}
		if uint64(s.state) != state || s.pid != sure(b, at+2*word+28, 4) || uint64(s.exit) != sure(b, at+2*word+12, 4) || uint64(s.specific) != sure(b, at+2*word+16, 4) {
			t.Errorf("%x: %+v", b, s)
		}
		name := slowTerminated(b, tableBase, sure(b, at, word))
		if !bytes.Equal(s.name, name) {
			t.Errorf("%x: name %x, want %x", b, s.name, name)
		}
		return true
	})
	if whole != (len(b) >= 2*size) || whole && i != 2 {
		t.Errorf("%x: %d services, whole %v", b, i, whole)
	}
	if _, ok := decodeServiceStatus(b); ok != (len(b) >= 36) {
		t.Errorf("%x: a status of %d bytes: %v", b, len(b), ok)
	}
}

// checkServiceConfig compares the decoders of how a service is set up.
func checkServiceConfig(t *testing.T, b []byte, word int) {
	t.Helper()
	c, ok := decodeServiceConfig(b, tableBase, word)
	if want := len(b) >= map[int]int{8: 64, 4: 36}[word]; ok != want {
		t.Errorf("%x: %v, want %v", b, ok, want)
	}
	path, owner := map[int]int{8: 16, 4: 12}[word], map[int]int{8: 48, 4: 28}[word]
	if ok && (uint64(c.start) != sure(b, 4, 4) || !bytes.Equal(c.path, slowTerminated(b, tableBase, sure(b, path, word))) ||
		!bytes.Equal(c.owner, slowTerminated(b, tableBase, sure(b, owner, word)))) {
		t.Errorf("%x: %+v", b, c)
	}
	var want []byte
	if pointer, has := number(b, 0, word); has {
		want = slowTerminated(b, tableBase, pointer)
	}
	if got := decodeServiceDescription(b, tableBase, word); !bytes.Equal(got, want) {
		t.Errorf("%x: %x, want %x", b, got, want)
	}
	if v, has := number(b, 0, 4); decodeServiceDelayed(b) != (has && v != 0) {
		t.Errorf("%x: delayed is not %d", b, v)
	}
}

// A service is told with its state, its process and its names, in any writing, in one
// piece or in many.
func TestServices(t *testing.T) {
	for _, word := range []int{8, 4} {
		for piece := range 2 {
			w := newWorld(word)
			w.scm.piece = piece
			r := passOver(t, opened(t, w), 1<<fromServices)
			log := r.of[platform.Service][platform.Key{Name: "EventLog"}]
			expect(t, "EventLog", log, map[platform.Field]uint64{platform.ServiceRunning: 1, platform.ServiceStopped: 0, platform.ServiceProcess: 612})
			if log.texts[platform.ServiceDisplayName] != "Windows Ereignisprotokoll Ā" {
				t.Errorf("%q", log.texts)
			}
			stopped, ok := r.of[platform.Service][platform.Key{Name: "x\xed\xa0\xbd"}]
			expect(t, "the other", stopped, map[platform.Field]uint64{platform.ServiceStopped: 1, platform.ServiceProcess: absent})
			if calls, _ := w.counts(); !ok || len(r.of[platform.Service]) != 2 || len(r.misses) != 0 || calls["Services"] != 1+piece {
				t.Errorf("%v, missed %v, calls %v", r.of[platform.Service], r.misses, calls)
			}
		}
	}
}

// A list that leads back into itself ends, and says so.
func TestServicesStuck(t *testing.T) {
	w := newWorld(8)
	w.scm.piece, w.scm.stuck = 1, true
	if r := passOver(t, opened(t, w), 1<<fromServices); r.misses[fromServices][platform.Unknown] != 1 {
		t.Errorf("missed %v", r.misses)
	}
	if _, err := servicesOf(t, w).Services(context.Background()); !errors.Is(err, errStuck) {
		t.Error(err)
	}
}

func servicesOf(t *testing.T, w *world) platform.ServiceInspector {
	t.Helper()
	return opened(t, w).(platform.ServiceInspector)
}

// shown is a service with what its pointers lead to.
func shown(s *platform.ServiceInfo) string {
	parts := []string{text.Repair(s.Name), text.Repair(s.DisplayName), s.State.String(), fmt.Sprint(s.Process.ID, s.Process.Start != 0)}
	for _, p := range []*string{s.BinaryPath, s.Owner, s.Description} {
		if p == nil {
			parts = append(parts, "?")
			continue
		}
		parts = append(parts, text.Repair(*p))
	}
	if s.Start == nil {
		return strings.Join(append(parts, "?"), "|")
	}
	return strings.Join(append(parts, s.Start.String()), "|")
}

// All that there is to tell of a service is told, by name, and leaves no handle open.
func TestServiceInfo(t *testing.T) {
	for _, word := range []int{8, 4} {
		w := newWorld(word)
		infos := got[[]platform.ServiceInfo](t)(servicesOf(t, w).Services(context.Background()))
		want := []string{
			`EventLog|Windows Ereignisprotokoll Ā|running|612 true|"C:\Windows\svchost.exe" -k netsvcs|NT AUTHORITY\LocalService|a\uDC3Db😀|delayed_automatic`,
			`x\uD83D||stopped|0 false||||manual`,
		}
		for i := range infos {
			if shown(&infos[i]) != want[i] || infos[i].Err != nil {
				t.Errorf("%s, %v; want %s", shown(&infos[i]), infos[i].Err, want[i])
			}
		}
		if len(infos) != 2 || len(w.scm.opened) != 0 || infos[0].Process.Start != w.tasks[3].create-unixEpoch {
			t.Errorf("%d services, open %v, process %v", len(infos), w.scm.opened, infos[0].Process)
		}
	}
}

// The units of a description that is no text can be had back.
func TestServiceDescriptionIsKept(t *testing.T) {
	w := newWorld(8)
	info := got[platform.ServiceInfo](t)(servicesOf(t, w).Service(context.Background(), "EventLog"))
	var back []uint16
	for rest := text.Unescape(text.Repair(*info.Description)); len(rest) > 0; {
		if r, _, size := decodeWTF8(rest); size > 0 {
			back, rest = utf16.AppendRune(back, r), rest[size:]
			if r >= 0xd800 && r < 0xe000 {
				back[len(back)-1] = uint16(r)
			}
		}
	}
	if want := w.scm.services[0].description; fmt.Sprint(back) != fmt.Sprint(want) {
		t.Errorf("%x, want %x", back, want)
	}
}

// decodeWTF8 reads one character, which may be half of a pair.
func decodeWTF8(b []byte) (r rune, half bool, size int) {
	if len(b) >= 3 && b[0] == 0xed && b[1] >= 0xa0 {
		return 0xd000 | rune(b[1]&0x3f)<<6 | rune(b[2]&0x3f), true, 3
	}
	for i, c := range string(b) {
		if i > 0 {
			return r, false, i
		}
		r = c
	}
	return r, false, len(b)
}

// A name is found in any case, the same case first, and a name of nobody is an error.
func TestServiceByName(t *testing.T) {
	w := newWorld(8)
	w.scm.services = append(w.scm.services, managed{name: wide("GRÖSSE"), state: 1}, managed{name: wide("größe"), state: 1}, managed{name: wide("Größe"), state: 1})
	s := servicesOf(t, w)
	for asked, want := range map[string]string{"eventlog": "EventLog", "EVENTLOG": "EventLog", "Größe": "Größe", "GRÖße": "größe", "x\xed\xa0\xbd": "x\xed\xa0\xbd"} {
		if info, err := s.Service(context.Background(), asked); err != nil || info.Name != want {
			t.Errorf("%q: %q, %v; want %q", asked, info.Name, err, want)
		}
	}
	for _, asked := range []string{"", "event", "x", "x\xed\xa0\xbe", "X\xed\xa0\xbd"} {
		if info, err := s.Service(context.Background(), asked); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%q: %q, %v", asked, info.Name, err)
		}
	}
}

// What a service does not tell costs its own fields, and every call may fail.
func TestServiceFaults(t *testing.T) {
	const whole = `EventLog|Windows Ereignisprotokoll Ā|running|612 true|`
	const path, description = `"C:\Windows\svchost.exe" -k netsvcs|NT AUTHORITY\LocalService|`, `a\uDC3Db😀`
	for what, test := range map[string]struct {
		change func(*world)
		want   string
		err    error
	}{
		"gone":           {func(w *world) { w.scm.services[0].gone = true }, whole + "?|?|?|?", fs.ErrNotExist},
		"denied":         {func(w *world) { w.scm.services[0].denied = true }, whole + "?|?|?|?", fs.ErrPermission},
		"OpenService":    {func(w *world) { w.fail["OpenService"] = errContent }, whole + "?|?|?|?", errContent},
		"ServiceConfig":  {func(w *world) { w.fail["ServiceConfig"] = errContent }, whole + "?|?|" + description + "|?", errContent},
		"Description":    {func(w *world) { w.fail["Description"] = fs.ErrPermission }, whole + path + "?|delayed_automatic", fs.ErrPermission},
		"Delayed":        {func(w *world) { w.fail["Delayed"] = os.ErrDeadlineExceeded }, whole + path + description + "|?", os.ErrDeadlineExceeded},
		"not known":      {func(w *world) { w.fail["Delayed"] = errors.ErrUnsupported }, whole + path + description + "|automatic", nil},
		"no description": {func(w *world) { w.scm.services[0].withoutDescription = true }, whole + path + "|delayed_automatic", nil},
		"start":          {func(w *world) { w.scm.services[0].start = 5 }, whole + path + description + "|?", errContent},
		"another":        {func(w *world) { w.tasks[3].create = w.now + 1 }, strings.Replace(whole, "true", "false", 1) + path + description + "|delayed_automatic", nil},
		"ended":          {func(w *world) { w.scm.services[0].pid = 7 }, strings.Replace(whole, "612 true", "7 false", 1) + path + description + "|delayed_automatic", nil},
	} {
		w := newWorld(8)
		s := servicesOf(t, w)
		test.change(w)
		infos, err := s.Services(context.Background())
		if err != nil || len(infos) != 2 {
			t.Fatalf("%s: %v", what, err)
		}
		if shown(&infos[0]) != test.want || !errors.Is(infos[0].Err, test.err) {
			t.Errorf("%s: %s, %v; want %s, %v", what, shown(&infos[0]), infos[0].Err, test.want, test.err)
		}
		if len(w.scm.opened) != 0 {
			t.Errorf("%s: open are %v", what, w.scm.opened)
		}
	}
}

// Without the list there is nothing, and an end is an end.
func TestServicesRefused(t *testing.T) {
	w := newWorld(8)
	s := servicesOf(t, w)
	w.fail["Services"] = fs.ErrPermission
	if _, err := s.Services(context.Background()); !errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), "EnumServicesStatusEx") {
		t.Error(err)
	}
	if _, err := s.Service(context.Background(), "EventLog"); !errors.Is(err, fs.ErrPermission) {
		t.Error(err)
	}
	delete(w.fail, "Services")
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := s.Services(ctx); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	s.Close()
	if _, err := s.Services(context.Background()); !errors.Is(err, fs.ErrClosed) {
		t.Error(err)
	}
}
