package netbsd

import (
	"bytes"
	"encoding/binary"
	"encoding/xml"
	"fmt"
	"io"
	"math"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"unicode"

	"github.com/pidometer/pidometer/internal/simkernel/bsd"
)

func FuzzCPU(f *testing.F) {
	f.Add(make([]byte, 40))
	f.Add([]byte("short"))
	f.Fuzz(func(t *testing.T, b []byte) {
		got, ok := decodeCPU(b)
		if ok != (len(b) >= 40) {
			t.Fatalf("%d bytes are %v", len(b), ok)
		}
		for i, v := range [...]uint64{got.User, got.Nice, got.System, got.Interrupt, got.Idle} {
			if ok && v != binary.LittleEndian.Uint64(b[8*i:]) {
				t.Errorf("time %d is %d", i, v)
			}
		}
	})
}

// Numbers that libprop writes are read as they were; others are refused, or read as Go reads them.
func FuzzNumber(f *testing.F) {
	f.Add([]byte("-5"), int64(-5))
	f.Add([]byte("0x1e"), int64(math.MinInt64))
	f.Fuzz(func(t *testing.T, b []byte, v int64) {
		if got, ok := decodeNumber(b); ok {
			want, err := strconv.ParseInt(string(b), 0, 64)
			if u, wide := strconv.ParseUint(string(b), 0, 64); err != nil {
				want, err = int64(u), wide
			}
			if err != nil || got != want {
				t.Errorf("%q: %d, want %d, %v", b, got, want, err)
			}
		}
		for _, text := range []string{fmt.Sprintf("%d", v), fmt.Sprintf("%#x", uint64(v))} {
			if got, ok := decodeNumber([]byte(text)); !ok || got != v {
				t.Errorf("%s: %d, %v", text, got, ok)
			}
		}
	})
}

// toldDevice is what a list says, in values of its own.
type toldDevice struct {
	Name, Class string
	Sensors     []toldSensor
}

type toldSensor struct {
	Words         [wordEnd]string
	Numbers       [numberEnd]string // "" for none
	Share, Judged bool
}

// decodeAll is what the decoder makes of a list, which it changes.
func decodeAll(b []byte) (all []toldDevice, ok bool) {
	r := &envReader{names: map[string]string{}}
	ok = r.decode(bytes.Clone(b), func(d *envDevice) bool {
		all = append(all, toldDevice{Name: string(d.name), Class: string(d.class)})
		for _, s := range d.sensors {
			t := toldSensor{Share: s.share, Judged: s.judged}
			for i, word := range s.words {
				t.Words[i] = string(word)
			}
			for i, v := range s.numbers {
				if s.known[i] {
					t.Numbers[i] = strconv.FormatInt(v, 10)
				}
			}
			last := &all[len(all)-1]
			last.Sensors = append(last.Sensors, t)
		}
		return true
	})
	return all, ok
}

// element is an element of a list as encoding/xml reads one.
type element struct {
	XMLName xml.Name
	Text    string    `xml:",chardata"`
	Inside  []element `xml:",any"`
}

// pairs are the keys and values of a dictionary.
func (e element) pairs(each func(key string, value element)) {
	for i := 0; i+1 < len(e.Inside); i += 2 {
		each(e.Inside[i].Text, e.Inside[i+1])
	}
}

// twin reads a list by way of encoding/xml: the whole of it, and then what is in it.
func twin(b []byte) (all []toldDevice, ok bool) {
	b, _, _ = bytes.Cut(b, []byte{0})
	d := xml.NewDecoder(bytes.NewReader(b))
	var root element
	if err := d.Decode(&root); err != nil || len(root.Inside) != 1 {
		return nil, false
	}
	if _, err := d.Token(); err != io.EOF && err != nil {
		return nil, false
	}
	root.Inside[0].pairs(func(name string, value element) {
		if value.XMLName.Local != "array" {
			return
		}
		device := toldDevice{Name: name}
		for _, e := range value.Inside {
			if s := device.sensor(e); e.XMLName.Local == "dict" && s.Words[wordIndex] != "" {
				device.Sensors = append(device.Sensors, s)
			}
		}
		all = append(all, device)
	})
	return all, true
}

// sensor reads a dictionary of a device, and what the device is if it says.
func (d *toldDevice) sensor(e element) (s toldSensor) {
	if e.XMLName.Local != "dict" {
		return s
	}
	e.pairs(func(key string, value element) {
		switch value.XMLName.Local {
		case "dict":
			if key == "device-properties" {
				value.pairs(func(key string, value element) {
					if key == "device-class" && value.XMLName.Local == "string" {
						d.Class = value.Text
					}
				})
			}
		case "string":
			for i, word := range wordWords {
				if key == word {
					s.Words[i] = value.Text
				}
			}
		case "integer":
			for i, word := range numberWords {
				if key == word {
					s.Numbers[i] = number32(value.Text)
				}
			}
		case "true", "false":
			switch key {
			case "want-percentage":
				s.Share = value.XMLName.Local == "true"
			case "monitoring-state-critical":
				s.Judged = value.XMLName.Local == "true"
			}
		}
	})
	return s
}

// number32 is a number that fits into 32 bits, "" for another.
func number32(text string) string {
	v, err := strconv.ParseInt(text, 0, 64)
	if u, wide := strconv.ParseUint(text, 0, 64); err != nil && wide == nil {
		v, err = int64(u), nil
	}
	if err != nil || v < math.MinInt32 || v > math.MaxInt32 {
		return ""
	}
	return strconv.FormatInt(v, 10)
}

// Whatever both read, they read alike; and what libprop would write of any sensors is read as
// it was.
func FuzzEnvsys(f *testing.F) {
	f.Add([]byte(printed))
	f.Add([]byte("<plist><!-- a --><dict><key>a&lt;</key><array><dict><key>index</key><string>&amp;&apos;&quot;</string></dict></array></dict></plist>"))
	f.Add([]byte("<plist><dict><key>x</key><data>AA==</data><key/><array/><key>z</key><real><a/><b>1</b></real></dict></plist>"))
	f.Add([]byte("<plist><dict><key>x</key><array><dict><key>index</key><string>1</string><key>cur-value</key><integer>-0x1</integer></dict></array></dict></plist>"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if got, ok := decodeAll(b); ok && !bytes.ContainsRune(b, '\r') { // which XML makes another character of
			if want, read := twin(b); read && !reflect.DeepEqual(got, want) {
				t.Errorf("%+v\nwant %+v", got, want)
			}
		}
		want := devices(b)
		got, ok := decodeAll([]byte(bsd.Plist(tree(want))))
		if !ok || !reflect.DeepEqual(got, want) {
			t.Errorf("%v, %+v\nwant %+v", ok, got, want)
		}
	})
}

// devices are some that bytes stand for.
func devices(b []byte) (all []toldDevice) {
	words := strings.FieldsFunc(string(b), func(r rune) bool { return r == 0 || r == unicode.ReplacementChar })
	for i := 0; i+wordEnd < len(words) && i < 100*wordEnd; i += wordEnd {
		if i%2 == 0 {
			all = append(all, toldDevice{Name: fmt.Sprintf("%05d", i) + words[i], Class: words[i+1]})
		}
		s := toldSensor{Share: len(words[i])%2 == 0, Judged: len(words[i])%3 == 0}
		copy(s.Words[:], words[i:])
		for j := range s.Numbers {
			v := int32(len(words[i])*j) << (j * 3)
			s.Numbers[j] = strconv.Itoa(int(v - int32(len(words[i+1]))<<20))
		}
		d := &all[len(all)-1]
		d.Sensors = append(d.Sensors, s)
	}
	return all
}

// tree is what a kernel would have of them.
func tree(all []toldDevice) map[string]any {
	dictionary := map[string]any{}
	for _, d := range all {
		var array []any
		for _, s := range d.Sensors {
			sensor := map[string]any{"want-percentage": s.Share, "monitoring-state-critical": s.Judged, "rpms": uint64(1)}
			for i, word := range s.Words {
				sensor[wordWords[i]] = word
			}
			for i, text := range s.Numbers {
				v, _ := strconv.ParseInt(text, 10, 64)
				sensor[numberWords[i]] = v
			}
			array = append(array, sensor)
		}
		dictionary[d.Name] = append(array, map[string]any{"device-properties": map[string]any{"device-class": d.Class}})
	}
	return dictionary
}
