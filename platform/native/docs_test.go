package native_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pidometer/pidometer/internal/oneshot"
	"github.com/pidometer/pidometer/platform"
	"github.com/pidometer/pidometer/platform/native"
)

var update = flag.Bool("update", false, "write docs/platforms.md anew")

// systems are those of the table, in its order.
var systems = []string{"linux", "windows", "darwin", "freebsd", "openbsd", "netbsd", "dragonfly", "solaris"}

// sun says for which two systems one backend is.
const sun = "What is under solaris holds for illumos too, where one backend reads both."

const detailsHead = `
### Details

What an [Inspector](../platform/inspect.go) tells, and ` + "`pidometer inspect`" + ` shows. Each detail of a process also proves that it is of that process. The privilege is for processes of other users.

| of | detail | read from | needs |
| --- | --- | --- | --- |
`

const left = `## What psutil has and pidometer leaves out

| what | why |
| --- | --- |
| heap_info, heap_trim | the heap of the C library in the calling program, and a way to shrink it: a Go program has no such heap to speak of, and its own one is told by the Go runtime |
| AIX | Go's port to it is for one machine type, ppc64, and nothing could be tried on one |
| setting nice, ionice, affinity and limits; sending signals, suspending, resuming, killing | control: pidometer looks and changes nothing |
| memory_info_ex as it was in psutil 4 | an alias then, and the name of something new in psutil 8; its fields are fields of a process here |
| lib and dirty of a process's memory | always 0 since Linux 2.6 |

## What the BSDs do not tell

| what | why |
| --- | --- |
| executable on OpenBSD | the kernel keeps no path of the program, and arguments are what whoever started it says |
| CPU time of children on OpenBSD and NetBSD | told as one sum of user and system time, which no metric of the conventions has a place for |
| time of single disk requests on OpenBSD and NetBSD | hw.diskstats and hw.iostats count requests, bytes and busy time |
| merged requests | no kernel of them counts any |
| bytes that a process read and wrote | requests are counted, bytes are not |
| unique, proportional and swapped memory of a process, I/O priority | no kernel of them tells |
| physical cores on OpenBSD and NetBSD | neither kernel tells |
| limits of a process on OpenBSD | the kernel tells them to the process itself |
| CPU frequency on FreeBSD, but for the first CPU's | cpufreq(4) has one dev.cpu.0.freq for all CPUs, and expects them to offer the same levels (cpufreq_attach in sys/kern/kern_cpu.c); the others are told where a kernel has theirs. Virtual machines mostly have none |
| CPU frequency on NetBSD | there is no number that all processors have |
| power, currents, humidity and drives of arrays on NetBSD | envsys(4) tells them; this version reads its temperatures, fans, voltages, batteries and supplies |
| model, vendor, serial number and chemistry of a battery on NetBSD | acpibat(4) prints some of that when it finds a battery, and envsys(4) has numbers alone |
| what each swap area takes | OpenBSD and NetBSD sum them up beside their memory, and FreeBSD's are summed up to be alike; swapctl(2) would tell, and OpenBSD lets no program but its C library call it |
| paths of programs and of open files on OpenBSD, of open files on NetBSD, and of root folders on both | the kernels keep no names there (kern.file and kern.file2 have device and inode alone) |
| mappings of another process's memory on OpenBSD, unless root asks, and what is mapped | kern.proc_vmmap is for the process itself and for root, and says of a file or device that there is an object |
| how much of a mapping is in memory on NetBSD and OpenBSD; whether memory without a file is shared on FreeBSD and NetBSD | neither vm.proc.map nor kern.proc.vmmap tells |
| user and system time of a thread on NetBSD | the kernel keeps one time of a thread, which is shown as user time |
| CPU affinity on OpenBSD, and as a metric on NetBSD | OpenBSD has none; NetBSD's kernel tells of one thread in a call, which is done for a process that is inspected: of its first thread |
| which CPUs are offline in the affinity of a process on NetBSD, and the affinity of its kernel's own process | a set is empty where nobody chose, and all CPUs are shown then; PID 0 means the caller there |
| I/O priority and statistics of sockets of a process | no kernel of them has an I/O priority, and TCP_INFO is told to whoever has the socket |
| the start of a zombie on OpenBSD and NetBSD | their rows tell nobody's who has ended; passes remember it |
| events of processes that nobody followed or made | kqueue(2) tells of the processes that it is asked about, the first 256 that passes see, and of all that those make. Passes tell who else came and went |

## What macOS does not tell

| what | why |
| --- | --- |
| CPU time, memory, faults, threads and open files of processes of other users, unless root asks | proc_info(2) refuses them; and whether such a process runs or sleeps, since the table of processes says "runs" of all that live |
| voluntary and involuntary context switches | the kernel counts one sum, which is told |
| process.disk.operations | bytes are counted, requests are not |
| CPU that a process ran on last, CPU affinity, limits and I/O priority of a process | no call tells of another process's |
| interrupts, context switches and system calls of the host | Mach counts none of them for everybody |
| how fast a CPU runs at the moment | Intel's hw.cpufrequency is what it is made for. For Apple's own processors the device tree says what the clusters E and P can do; how long each state was held IOReport tells, a library that is private |
| CPU frequency on Apple's own processors with a third kind of cluster, and in virtual machines | which table of the device tree is whose is not known of the one (the M5 Pro and Max), and the other has none |
| time in interrupts | it is part of the system time |
| time in which a disk was busy, merged requests, discards | IOBlockStorageDriver counts none |
| temperatures and fans but for the battery's | they take the private keys of each model's SMC or IOHID's real numbers |
| proportional memory | nothing counts who shares a page |
| session of a process, and times, priority and state of one of another user | the table of processes has no session; the rest takes proc_info(2), which refuses it |
| statistics of sockets of a process | TCP_INFO is told to whoever has the socket |
| events of new processes, and how processes of other users ended | kqueue(2) has no NOTE_TRACK since macOS 10.5: passes tell who is new, and follow the first 256 that they see. NOTE_EXITSTATUS takes the right to signal a process |
| whose a socket is, where two processes have it open | the kernel names the one that used it last |

## What DragonFly does not tell

It was added to try [the recipe](adding-an-os.md), and tells the core: processes with their threads, arguments, program and
folder, CPUs, memory, interfaces, file systems, load, and events of processes that are followed.

| what | why |
| --- | --- |
| disks, sockets, swap, users, temperatures, open files and mappings | this version does not read them |
| environment and root folder of a process | kern.proc has no operation for them |
| details of a zombie | kern.proc finds none by its PID: it counts as gone; passes tell it |
| interrupts, context switches and system calls of the host | this version does not read vm.stats.sys |

## What illumos and Solaris do not tell

| what | why |
| --- | --- |
| time in interrupts, I/O wait and nice time | interrupts are part of the system time (get_cpu_mstate), cpu_ticks_wait was 0 in what was recorded, and nice time is not told apart |
| bytes that a process read and wrote | pr_ioch is one sum of characters read and written, those of terminals and pipes among them |
| time of single disk requests, merged requests, discards | struct kstat_io has the time in which a disk was busy, and lengths of queues over time |
| physical memory that ZFS would give back | its cache is in no count of free pages, so that available memory is free memory; zfs:0:arcstats tells its size and not what of it can go |
| whose a socket is, for all processes at once | the list of sockets (T_SVR4_OPTMGMT_REQ to the modules of TCP and UDP) names the process that created a socket, which may have given it away; inspecting a process reads its own sockets |
| file systems of remote servers, and loopback mounts (lofs), which may lead to one | statvfs(2) waits for a server that does not answer, so that none is asked |
| arguments and environment of processes of other users | they are read out of the memory of the process; psinfo has 80 characters of the arguments with spaces between them, which is no vector |
| limits and I/O priority of a process, statistics of sockets | getrctl(2) tells limits to the process itself, there is no I/O priority, and no file of a process has statistics of its sockets |
| unique and proportional memory of a process as metrics | memory could be summed up from its map; the map's own pages are shown with each mapping |
| CPU affinity of a process in a set of processors | psinfo has the number of the set; who is in it pset_info(2) tells, of the C library |
| saved user and group, further groups, and times of children, of processes of other users | cred and status are for the owner (proc(5)), and so are links, files, sockets and mappings |
| sockets of a process where there is no fdinfo | /proc/[pid]/fdinfo is there since 2020 on illumos (its issue 12046), with the layout of Solaris 11.4; before that open files are told without offset and flags |
| the start of a zombie | psinfo does not tell it; passes remember it, and its usage tells whether it is of another that has the PID now |
| privileges of a process | their sets have more than 64 bits, numbered by each release (getprivimplinfo(2)): what stands for capabilities on Linux has no room for them |
| what is Solaris's own | its psinfo tells private memory where illumos has padding, and names of threads at the end; neither is read |
| temperatures, fans, batteries | no statistic tells of them; ksensor(4D) of illumos says of its own files in /dev/sensors that they change without notice and are not to be read |
| minor faults of a process | pr_minf was 0 in all values that were recorded on illumos: it is told as the kernel has it |
| sparc | Go has no port to it |
| events as they happen | this version does not hear them: passes tell who came and who went |

## What was seen where

| system | decoders | backend | conformance suite |
| --- | --- | --- | --- |
| linux amd64 | recorded and hand-made text, fuzzed against slow twins | Linux 6.18; simulated kernel, 1,000 worlds of 200 steps | Linux 6.18, as root and as an ordinary user |
| linux 386 | the same tests | Linux 6.18, a 64-bit kernel | Linux 6.18 |
| linux arm64 | compiled | not run | not run |
| windows amd64 | hand-made answers of 64 and 32 bits, fuzzed against slow twins; layouts compared with golang.org/x/sys/windows and with C declarations laid out by the rules of the ABI | hand-made kernel; simulated kernel, 1,000 worlds of 200 steps; a recording of Wine 8.0; Wine 8.0, which counts no I/O, page faults and context switches and has no disk counters | hand-made kernel; Wine 8.0 |
| windows arm64, 386 | compiled | not run | not run |
| darwin amd64 and arm64 | layouts alone: offsets compared with C declarations of XNU 11417 laid out by the rules of the ABI and with golang.org/x/sys/unix; property lists that Python wrote; fuzzed against slow twins | simulated kernel, 1,000 worlds of 200 steps; calls of Mach, IOKit and CoreFoundation against a library in memory; compiled and linked; never run on the real kernel | simulated kernel |
| freebsd, openbsd, netbsd amd64 and arm64 | layouts alone: offsets compared with C declarations laid out by the rules of the ABI and with golang.org/x/sys/unix; NetBSD's property list in hand-made text; fuzzed against slow twins | simulated kernel, 1,000 worlds of 200 steps; compiled; never run on the real kernel | simulated kernel |
| dragonfly amd64 | layouts alone, likewise | simulated kernel, likewise; compiled; never run on the real kernel | simulated kernel |
| solaris and illumos amd64 | layouts alone: offsets compared with C declarations laid out by the rules of the ABI; values that others recorded of two processes, a CPU and a link on illumos, laid out anew, and the bytes of a socket that its own design shows; fuzzed against slow twins | simulated kernel, 1,000 worlds of 200 steps; compiled; never run on the real kernel | simulated kernel |

Sensors, fans, batteries, supplies, energy counters, memory controllers and cpufreq were seen in hand-made trees alone: the
machines that the tests ran on are virtual ones, and have none.
`

// TestPlatforms holds docs/platforms.md to the sources that the backends declare.
func TestPlatforms(t *testing.T) {
	path := filepath.Join("..", "..", "docs", "platforms.md")
	want := page()
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil || string(got) != want {
		t.Errorf("%s is not what the sources say (%v): go generate ./platform/native", path, err)
	}
}

func page() string {
	var b strings.Builder
	b.WriteString("# Platforms\n\nThis page is written by `go generate ./platform/native` from what the backends declare. A test compares the two.\n\n")
	b.WriteString("Which metric shows which field is told by the [catalogue](metrics.md). " + sun + "\n")
	for _, goos := range systems {
		fmt.Fprintf(&b, "\n## %s\n", goos)
		sources := native.Sources(goos)
		for e := range platform.Entity(platform.Entities) {
			entity(&b, sources, e)
		}
		texts(&b, sources)
		details(&b, native.Details(goos))
	}
	b.WriteString("\n" + left)
	return b.String()
}

// entity writes the table of the fields of one kind of entity.
func entity(b *strings.Builder, sources []platform.Source, e platform.Entity) {
	fields := told(sources, e)
	if len(fields) == 0 {
		return
	}
	fmt.Fprintf(b, "\n### %s\n\n| field | unit | read from | needs |\n| --- | --- | --- | --- |\n", e)
	for _, f := range fields {
		from, needs := origin(sources, f)
		fmt.Fprintf(b, "| `%s` | %s | %s | %s |\n", f, f.Info().Unit, from, needs)
	}
}

// told returns the fields of an entity that a system tells, those among them that a
// walk over all processes counts.
func told(sources []platform.Source, e platform.Entity) (fields []platform.Field) {
	given := oneshot.Counted(platform.Fields(platform.ProcessState))
	for _, s := range sources {
		for _, g := range s.Gives {
			given.Add(g.Field)
		}
	}
	first, n := e.Block()
	for f := first; f < first+platform.Field(n); f++ {
		if given.Has(f) {
			fields = append(fields, f)
		}
	}
	return fields
}

// origin is where a field is read from, exact sources first.
func origin(sources []platform.Source, f platform.Field) (from, needs string) {
	var exact, rough, rights []string
	for _, s := range sources {
		for _, g := range s.Gives {
			switch {
			case g.Field != f:
				continue
			case g.Approximate:
				rough = append(rough, "`"+s.Name+"` (approximate)")
			default:
				exact = append(exact, "`"+s.Name+"`")
			}
			if s.Needs != "" {
				rights = append(rights, s.Needs)
			}
		}
	}
	if len(exact)+len(rough) == 0 {
		return "counted by the pass over all processes", ""
	}
	return strings.Join(append(exact, rough...), ", "), strings.Join(rights, ", ")
}

func texts(b *strings.Builder, sources []platform.Source) {
	b.WriteString("\n### Texts\n\n| text | read from | needs |\n| --- | --- | --- |\n")
	for t := range platform.Text(platform.TextCount) {
		for _, s := range sources {
			for _, have := range s.Texts {
				if have == t {
					fmt.Fprintf(b, "| `%s` | `%s` | %s |\n", t, s.Name, s.Needs)
				}
			}
		}
	}
}

// details writes the table of what is no field.
func details(b *strings.Builder, list []platform.DetailSource) {
	if len(list) == 0 {
		return
	}
	b.WriteString(detailsHead)
	for _, d := range list {
		fmt.Fprintf(b, "| %s | %s | `%s` | %s |\n", d.Entity, d.Detail, strings.Join(d.Reads, "`, `"), d.Needs)
	}
}
