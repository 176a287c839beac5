package solaris

import (
	"io/fs"
	"time"
)

// Since is when the one who is logged in did so.
var Since = time.Unix(1_790_000_123, 5000)

// File answers /etc/passwd, the list of mounts, and one who is logged in among other records.
func (k *Kernel) File(path string) ([]byte, error) {
	if err := k.Call(path); err != nil {
		return nil, err
	}
	switch path {
	case "/etc/passwd":
		return []byte("# comment\nroot:x:0:0:Super-User:/root:/bin/sh\nuser:x:1000:1000::/home/user:/bin/sh\n"), nil
	case "/etc/mnttab":
		return []byte("rpool/ROOT/a\t/\tzfs\trw,devices,dev=4410002\t0\n/devices\t/devices\tdevfs\tdev=9180000\t1\n" +
			"server:/home\t/home\tnfs\trw,dev=9400001\t2\n-hosts\t/net\tautofs\tnosuid,dev=9440001\t2\n/dev/dsk/c1\t/ro\thsfs\tro\t3\nbroken\n"), nil
	case "/var/adm/utmpx":
		var b []byte
		for _, kind := range []uint64{2, 7, 8} { // BOOT_TIME, USER_PROCESS, DEAD_PROCESS
			r := make([]byte, futmpx.Size)
			futmpx.Put(r, "type", kind)
			futmpx.PutText(r, "user", "root")
			futmpx.PutText(r, "line", "pts/1")
			futmpx.PutText(r, "host", "there.example")
			futmpx.Put(r, "pid", 77)
			futmpx.Put(r, "sec", uint64(Since.Unix()))
			futmpx.Put(r, "usec", 5)
			b = append(b, r...)
		}
		return b, nil
	}
	return nil, fs.ErrNotExist
}
