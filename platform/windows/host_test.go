package windows

import (
	"context"
	"errors"
	"io/fs"
	"testing"
	"time"

	"github.com/pidometer/pidometer/platform"
)

func TestHostFields(t *testing.T) {
	for _, word := range []int{8, 4} {
		w := newWorld(word)
		r := passOver(t, opened(t, w), all&^allProcessSources)
		host := r.only(t, platform.Host)
		expect(t, "host", host, map[platform.Field]uint64{
			platform.HostUptime:  (w.now - w.boot) * 100,
			platform.HostCPUUser: 50e9, platform.HostCPUIdle: 210e9, platform.HostCPUInterrupt: 7e9, platform.HostCPUSystem: (130 + 120 - 210 - 7) * 1e9,
			platform.HostCPULogical: 2, platform.HostCPUPhysical: 2, platform.HostInterrupts: 3000,
			platform.HostContextSwitches: 12345, platform.HostSystemCalls: 54321, platform.HostSoftInterrupts: 14, platform.HostFaultsMajor: 60, platform.HostFaultsMinor: 840,
			platform.HostSwapIn: 80, platform.HostSwapOut: 40,
			platform.HostMemoryTotal: 8000 * 4096, platform.HostMemoryFree: 5000 * 4096, platform.HostMemoryUsed: 3000 * 4096,
			platform.HostWindowsCommitted: 3000 * 4096, platform.HostWindowsCommitLimit: 9000 * 4096,
			platform.HostTCPListen: 2, platform.HostTCPEstablished: 2, platform.HostTCPClosed: 1, platform.HostUDP: 1,
			platform.HostTCPActiveOpens: 10, platform.HostTCPErrors: 26, platform.HostUDP4Received: 1, platform.HostUDP6Sent: 4,
			platform.HostIPv4Received: 3, platform.HostIPv6Sent: 10, platform.HostSessions: 1, platform.HostTasksRunnable: 0,
			platform.HostMemoryAvailable: absent, platform.HostLoad1: absent,
		})
		for text, want := range map[platform.Text]string{
			platform.HostID: "3f2a", platform.HostName: "ada-pc", platform.HostArch: "amd64", platform.OSType: "windows",
			platform.OSName: "Windows 11 Pro", platform.OSVersion: "10.0.22631", platform.OSDescription: "Windows 11 Pro 10.0.22631", platform.OSBuild: "22631",
		} {
			if host.texts[text] != want {
				t.Errorf("%v is %q, want %q", text, host.texts[text], want)
			}
		}
		cpu := r.of[platform.CPU][platform.Key{ID: 1}]
		expect(t, "CPU 1", cpu, map[platform.Field]uint64{platform.CPUUser: 30e9, platform.CPUIdle: 110e9, platform.CPUSystem: 8e9,
			platform.CPUInterrupt: 2e9, platform.CPUFrequency: 2400e6, platform.CPUFrequencyNominal: 3600e6, platform.CPUFrequencyLive: absent})
		if len(r.misses) > 0 {
			t.Errorf("missed %v", r.misses)
		}
		checkDevices(t, r)
	}
}

func checkDevices(t *testing.T, r *record) {
	t.Helper()
	disk := r.of[platform.Disk][platform.Key{Name: "PhysicalDrive3"}]
	expect(t, "disk", disk, map[platform.Field]uint64{platform.DiskReadBytes: 2000, platform.DiskWriteBytes: 4000, platform.DiskReads: 20,
		platform.DiskWrites: 40, platform.DiskReadTime: 2e9, platform.DiskWriteTime: 4e9, platform.DiskPending: 1,
		platform.DiskIOTime: 3000e9 + 500, platform.DiskSize: 512 << 20})
	volume := r.of[platform.Filesystem][platform.Key{ID: 7, Name: `C:\`}]
	expect(t, "volume", volume, map[platform.Field]uint64{platform.FilesystemTotal: 100 << 30, platform.FilesystemUsed: 60 << 30,
		platform.FilesystemFree: 30 << 30, platform.FilesystemReserved: 10 << 30})
	if volume.texts[platform.FilesystemType] != "NTFS" || volume.texts[platform.FilesystemMode] != "rw" {
		t.Errorf("volume %v", volume.texts)
	}
	network := r.of[platform.Network][platform.Key{Name: "Ethernet"}]
	expect(t, "interface", network, map[platform.Field]uint64{platform.NetworkMTU: 1500, platform.NetworkReceiveBytes: 1 << 40,
		platform.NetworkReceivePackets: 2<<40 + 2, platform.NetworkTransmitErrors: 1<<40 + 7})
	swap := r.of[platform.Swap][platform.Key{Name: `D:\pagefile.sys`}]
	expect(t, "page file", swap, map[platform.Field]uint64{platform.SwapTotal: 1000 * 4096, platform.SwapUsed: 250 * 4096, platform.SwapFree: 750 * 4096})
	for e, want := range map[platform.Entity]int{platform.CPU: 2, platform.Disk: 2, platform.Filesystem: 1, platform.Network: 1, platform.Swap: 2} {
		if len(r.of[e]) != want {
			t.Errorf("%d of %v, want %d: %v", len(r.of[e]), e, want, r.of[e])
		}
	}
}

// All CPUs of all processor groups are seen, each under its own number, and a host
// without groups is seen by the older call.
func TestProcessorGroups(t *testing.T) {
	w := newWorld(8)
	for len(w.processors[0]) < groupSize {
		w.processors[0] = append(w.processors[0], w.processors[0][0])
	}
	w.processors = append(w.processors, w.processors[0][:32])
	b := opened(t, w)
	r := passOver(t, b, 1<<fromProcessors)
	if got := r.only(t, platform.Host).fields[platform.HostCPULogical]; got != 96 || len(r.of[platform.CPU]) != 96 {
		t.Errorf("%d CPUs, %d of them told", got, len(r.of[platform.CPU]))
	}
	if _, ok := r.of[platform.CPU][platform.Key{ID: 95}]; !ok {
		t.Error("the last CPU of the second group is not 95")
	}
	w.noGroups = true
	r = passOver(t, b, 1<<fromProcessors)
	if got := r.only(t, platform.Host).fields[platform.HostCPULogical]; got != 64 {
		t.Errorf("%d CPUs without groups", got)
	}
}

// A kernel that does not count says 0 of everything, which is not 0.
func TestNotCounted(t *testing.T) {
	w := newWorld(8)
	w.build = extensionBuild - 1
	w.answers[classPerformance] = make([]byte, performanceSize)
	for i := range w.tasks {
		for j := range w.tasks[i].threads {
			w.tasks[i].threads[j] = thread{id: uint64(j)}
		}
	}
	w.processors[0][0].interrupts, w.processors[0][1].interrupts = 0, 0
	r := passOver(t, opened(t, w), 1<<fromPerformance|1<<fromQueue|1<<fromProcessors|1<<fromThreads)
	expect(t, "host", r.only(t, platform.Host), map[platform.Field]uint64{platform.HostContextSwitches: absent,
		platform.HostFaultsMinor: absent, platform.HostTasksRunnable: absent, platform.HostWindowsLoad1: absent, platform.HostInterrupts: absent})
	for _, source := range []int{fromPerformance, fromQueue, fromThreads} {
		if r.misses[source][platform.Unsupported] == 0 {
			t.Errorf("source %d missed %v", source, r.misses[source])
		}
	}
}

// The load begins with the queue, and goes towards it with time.
func TestLoad(t *testing.T) {
	w := newWorld(8)
	w.tasks[3].threads = someThreads(612, 8, threadReady)
	b := opened(t, w)
	look := func(want1, want15 uint64) {
		t.Helper()
		expect(t, "load", passOver(t, b, 1<<fromQueue).only(t, platform.Host),
			map[platform.Field]uint64{platform.HostWindowsLoad1: want1, platform.HostWindowsLoad15: want15})
	}
	look(800, 800)
	w.tasks[3].threads = someThreads(612, 8, threadWaiting)
	w.now += 60 * second
	look(294, 748) // 8/e after a minute, 8/e^(1/15)
	w.now += 3600 * second
	look(0, 14)
}

// A volume that does not answer costs one budget, and later passes nothing. Its
// answer, when it comes, is not taken for a later one.
func TestVolumeHangs(t *testing.T) {
	w := newWorld(8)
	w.hang = make(chan struct{})
	b, err := New(Options{Kernel: w, Budget: time.Millisecond, AllDevices: true})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	for range 3 {
		r := passOver(t, b, 1<<fromVolumes)
		if len(r.of[platform.Filesystem]) != 0 || r.misses[fromVolumes][platform.Stuck] != 3 {
			t.Errorf("%v, missed %v", r.of, r.misses)
		}
	}
	if n := b.(*backend).host.volumes.open; n != 0 {
		t.Errorf("a later pass waits for %d answers", n)
	}
	close(w.hang)
	b.(*backend).host.volumes.budget = time.Minute
	for answered := 0; answered < 3; { // the goroutines of the first pass have to end first
		answered = len(passOver(t, b, 1<<fromVolumes).of[platform.Filesystem])
	}
}

// A drive that has answered one pass is asked in the next, however soon that comes.
func TestVolumesAnswerEveryPass(t *testing.T) {
	b, err := New(Options{Kernel: newWorld(8), Budget: time.Minute, AllDevices: true})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	for i := range 10_000 {
		if r := passOver(t, b, 1<<fromVolumes); len(r.of[platform.Filesystem]) != 3 {
			t.Fatalf("pass %d: %d volumes, missed %v", i, len(r.of[platform.Filesystem]), r.misses)
		}
	}
}

// Without the right of a network drive it is not asked at all, and an empty one is no
// fault.
func TestDrives(t *testing.T) {
	w := newWorld(8)
	w.drives = []Drive{{`C:\`, driveFixed}, {`E:\`, driveRemovable}, {`Z:\`, driveRemote}}
	w.fail["Volume"] = fs.ErrNotExist
	r := passOver(t, opened(t, w), 1<<fromVolumes)
	if calls, _ := w.counts(); calls["Volume"] != 2 || len(r.misses) != 0 {
		t.Errorf("%d volumes asked, missed %v", calls["Volume"], r.misses)
	}
}

func TestAllDevices(t *testing.T) {
	b, err := New(Options{Kernel: newWorld(8), Budget: time.Minute, AllDevices: true})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	r := passOver(t, b, 1<<fromInterfaces|1<<fromVolumes)
	if len(r.of[platform.Network]) != 4 || len(r.of[platform.Filesystem]) != 3 {
		t.Errorf("%d interfaces, %d volumes", len(r.of[platform.Network]), len(r.of[platform.Filesystem]))
	}
	loopback := r.of[platform.Network][platform.Key{Name: "Loopback"}]
	expect(t, "loopback", loopback, map[platform.Field]uint64{platform.NetworkMTU: absent})
}

// Where there is no hardware, as in a container, the others are told but for the
// loopback.
func TestNoHardware(t *testing.T) {
	w := newWorld(8)
	w.interfaces = interfaceTable(ifaceOf("vEthernet", 0, ifUp, 6, 1500), ifaceOf("Loopback", 0, ifUp, ifLoopback, noMTU))
	r := passOver(t, opened(t, w), 1<<fromInterfaces)
	if _, ok := r.of[platform.Network][platform.Key{Name: "vEthernet"}]; !ok || len(r.of[platform.Network]) != 1 {
		t.Errorf("%v", r.of[platform.Network])
	}
}

func TestNoKernel(t *testing.T) {
	w := newWorld(8)
	w.fail["System"] = fs.ErrPermission
	if _, err := w.backend(); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("without a time of boot: %v", err)
	}
	b := opened(t, newWorld(8))
	ctx, cancel := context.WithCancel(context.Background())
	reader, _ := b.Begin(ctx)
	cancel()
	if _, err := b.Begin(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("a second reader: %v", err)
	}
	reader.Close()
}
