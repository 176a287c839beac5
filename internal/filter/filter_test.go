package filter

import (
	"strings"
	"testing"

	"github.com/pidometer/pidometer/platform"
)

// process is a sample of a process of which everything is known.
func process() *platform.Sample {
	s := new(platform.Sample)
	s.Reset(platform.Process, platform.Key{ID: 42, Start: 7})
	s.Set(platform.ProcessState, uint64(platform.StateSleeping))
	s.Set(platform.ProcessUptime, 600e9)
	s.Set(platform.ProcessMemoryRSS, 100<<20)
	s.Set(platform.ProcessUser, 33)
	for t, b := range map[platform.Text]string{
		platform.ProcessCommand: "ngi\xffnx", platform.ProcessExecutable: "/usr/sbin/nginx", platform.ProcessOwner: "www-data",
		platform.ProcessCgroup: "/system.slice/nginx.service", platform.ProcessUnit: "nginx.service",
		platform.ProcessEnvironment: "A=1\x00HOME=/var/www\x00=odd\x00noequals\x00",
	} {
		s.SetText(t, []byte(b))
	}
	return s
}

func TestConditions(t *testing.T) {
	known, unknown := process(), new(platform.Sample)
	unknown.Reset(platform.Process, platform.Key{ID: 1})
	for condition, want := range map[string]bool{
		`name=ngi\xffnx`: true, "name=ngi*": true, "name=*nx": true, "name=nginx": false, "name!=nginx": true, "name=a|ngi*": true,
		"executable=nginx": true, "executable=/usr/sbin/nginx": true, "executable=/usr/*": true, "executable=sbin": false, "executable!=nginx": false,
		"owner=www-data": true, "owner=33": true, "owner=root|33": true, "owner=0": false, "owner!=root": true,
		"state=sleeping": true, "state=running|stopped": false, "state!=running": true,
		"age>=10m": true, "age>=601s": false, "age<10m": false, "age<11m": true,
		"memory>=100MiB": true, "memory>=100.1MiB": false, "memory<101MiB": true, "memory>=1": true, "memory>=0.1GB": true,
		"cgroup=/system.slice/*": true, "cgroup=/user*": false, "unit=nginx.service": true,
		"env=HOME": true, "env=HOME=/var/*": true, "env=HOME=/root": false, "env=B": false, "env!=B": true, "env=noequals": false,
	} {
		c, err := Parse(condition)
		if err != nil {
			t.Errorf("%s: %v", condition, err)
			continue
		}
		if got := c.Holds(known); got != want {
			t.Errorf("%s is %v, want %v", condition, got, want)
		}
		if c.Holds(unknown) {
			t.Errorf("%s holds of a process of which nothing is known", condition)
		}
		if c.String() != condition {
			t.Errorf("%s is called %s", condition, c.String())
		}
	}
}

func TestBadConditions(t *testing.T) {
	for condition, says := range map[string]string{
		"": "is none of", "name": "is none of", "bogus=1": "is none of", "name=": "write name=GLOB", "name>=x": "write name=GLOB",
		"age=5m": "write age>=", "age>=x": "no time", "age>=-5s": "no time", "age>5m": "is none of", "memory>=much": "no size",
		"memory>=-1": "no size", "memory>=99999999TiB": "no size", "state=asleep": `no state "asleep"`, "tree=x": "no PID", "tree=0": "no PID",
		"tree=-1": "no PID", "env=": "write env=", "env==x": "no name", "name!nginx": "is none of", "age<=5m": "is none of",
	} {
		_, err := Parse(condition)
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: error %v, want one with %q", condition, err, says)
		}
	}
}

func TestCheapestFirst(t *testing.T) {
	all, err := ParseAll([]string{"env=A", "owner=root", "name=x", "age>=1s"})
	if err != nil {
		t.Fatal(err)
	}
	var order []string
	for _, c := range all {
		order = append(order, c.String())
	}
	if got := strings.Join(order, " "); got != "name=x age>=1s owner=root env=A" {
		t.Errorf("order %s", got)
	}
	if _, err := ParseAll([]string{"name=x", "bogus"}); err == nil {
		t.Error("a bad condition among good ones is no error")
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"name=a*|b", "age>=5m", "memory<1KiB", "env!=A=b", "tree=1", "state=running", "x", "=", ">=", "!"} {
		f.Add(s)
	}
	s := process()
	f.Fuzz(func(t *testing.T, text string) {
		c, err := Parse(text)
		if err != nil {
			return
		}
		c.Holds(s)
		if again, err := Parse(c.String()); err != nil || again.Holds(s) != c.Holds(s) {
			t.Errorf("%q parsed again: %v", text, err)
		}
	})
}
