package linux

import "github.com/pidometer/pidometer/platform"

// Details returns where each detail is read. Those of a process also look at its
// /proc/[pid]/stat, before anything that was read is believed (see detail).
func Details() []platform.DetailSource {
	const pid = "/proc/[pid]/"
	process := func(name, needs string, reads ...string) platform.DetailSource {
		return platform.DetailSource{Detail: name, Entity: platform.Process, Reads: reads, Needs: needs}
	}
	host := func(name string, reads ...string) platform.DetailSource {
		return platform.DetailSource{Detail: name, Entity: platform.Host, Reads: reads}
	}
	return []platform.DetailSource{
		process("Identity", "", pid+"stat", pid+"status", "/proc/tty/drivers", "/etc/passwd"),
		process("Arguments", "", pid+"cmdline"),
		process("Environment", samePrivilege, pid+"environ"),
		process("Executable", samePrivilege, pid+"exe", pid+"root"),
		process("WorkingDirectory", samePrivilege, pid+"cwd", pid+"root"),
		process("Root", samePrivilege, pid+"root"),
		process("Affinity", "", "sched_getaffinity", pid+"status"),
		process("IOPriority", "", "ioprio_get"),
		process("OpenFiles", samePrivilege, pid+"fd", pid+"fdinfo", pid+"root"),
		process("Connections", samePrivilege, pid+"fd", pid+"net/tcp", pid+"net/tcp6", pid+"net/udp", pid+"net/udp6", pid+"net/unix"),
		process("SocketStats", samePrivilege, pid+"fd", pid+"ns/net", "sock_diag"),
		process("Threads", "", pid+"task/[tid]/stat"),
		process("MemoryMaps", samePrivilege, pid+"smaps", pid+"maps"),
		process("Limits", "", pid+"limits"),
		process("Children", "", pid+"stat"),
		process("Descendants", "", pid+"stat"),
		process("Parents", "", pid+"stat"),
		host("Interfaces", "rtnetlink", "/sys/class/net/[interface]"),
		host("Mounts", "/proc/self/mountinfo"),
		host("Sessions", "/run/utmp"),
	}
}
