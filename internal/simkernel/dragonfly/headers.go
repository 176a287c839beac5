package dragonfly

import "github.com/pidometer/pidometer/internal/simkernel"

// The structures of DragonFly 6 by their declarations, in the order and of the types of the
// headers: sys/time.h, sys/resource.h, sys/rtprio.h, sys/kinfo.h, net/if.h and sys/mount.h.
var (
	timeval = simkernel.C("timeval", "int64 sec, usec")

	rusage = simkernel.C("rusage", `
		timeval utime, stime
		long maxrss, ixrss, idrss, isrss, minflt, majflt, nswap, inblock, oublock, msgsnd, msgrcv, nsignals, nvcsw, nivcsw`, timeval)

	rtprio = simkernel.C("rtprio", "uint16 type, prio")

	kinfoLwp = simkernel.C("kinfo_lwp", `
		int32 pid, tid
		int flags, stat, lock, tdflags, mpcount, prio, tdprio
		rtprio rtprio
		uint64 uticks, sticks, iticks, cpticks
		uint32 pctcpu, slptime
		int origcpu, estcpu, cpuid
		rusage ru
		uint32 siglist[4], sigmask[4]
		pointer wchan
		char wmesg[9], comm[17]`, rtprio, rusage)

	kinfoProc = simkernel.C("kinfo_proc", `
		pointer paddr
		int flags, stat, lock, acflag, traceflag
		pointer fd
		uint32 siglist[4], sigignore[4], sigcatch[4]
		int sigflag
		timeval start
		char comm[17]
		uint32 uid
		short ngroups
		uint32 groups[16]
		uint32 ruid, svuid, rgid, svgid
		int32 pid, ppid, pgid
		int jobc
		int32 sid
		char login[40]
		uint32 tdev
		int32 tpgid, tsid
		uint16 exitstat
		int nthreads, nice
		uint32 swtime
		size vm_map_size
		long vm_rssize, vm_swrss, vm_tsize, vm_dsize, vm_ssize
		uint32 vm_prssize
		int jailid
		rusage ru, cru
		int auxflags
		kinfo_lwp lwp
		pointer ktaddr
		int spare[2]`, timeval, rusage, kinfoLwp)

	kinfoCputime = simkernel.C("kinfo_cputime", `
		uint64 user, nice, sys, intr, idle, unused01, unused02, sample_pc, sample_sp
		char msg[32]`)

	ifData = simkernel.C("if_data", `
		uint8 type, physical, addrlen, hdrlen, recvquota, xmitquota
		uint64 mtu, metric, link_state, baudrate, ipackets, ierrors, opackets, oerrors, collisions, ibytes, obytes, imcasts, omcasts
		uint64 iqdrops, noproto, hwassist, oqdrops
		timeval lastchange`, timeval)

	ifMsghdr = simkernel.C("if_msghdr", `
		uint16 msglen
		uint8 version, type
		uint16 index
		int flags, addrs
		if_data data`, ifData)

	ifaMsghdr = simkernel.C("ifa_msghdr", `
		uint16 msglen
		uint8 version, type
		uint16 index
		int flags, addrs, addrflags, metric`)

	statfs = simkernel.C("statfs", `
		long spare2, bsize, iosize, blocks, bfree, bavail, files, ffree
		int32 fsid[2]
		uint32 owner
		int type, flags
		long syncwrites, asyncwrites
		char fstypename[16], mntonname[80]
		long syncreads, asyncreads
		short spares1
		char mntfromname[80]
		short spares2
		long spare[2]`)
)

// Declarations are the structures that answers of this kernel hold names and addresses in.
var Declarations = struct {
	Process, Mount, Message, Address *simkernel.Struct
}{kinfoProc, statfs, ifMsghdr, ifaMsghdr}
