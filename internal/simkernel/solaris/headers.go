package solaris

import "github.com/pidometer/pidometer/internal/simkernel"

// The structures of illumos by their declarations, in the order and of the types of the
// headers: sys/procfs.h, sys/kstat.h and utmpx.h of illumos-gate, as 64-bit programs see
// them.
var (
	timestruc = simkernel.C("timestruc_t", "long sec, nsec")

	lwpsinfo = simkernel.C("lwpsinfo_t", `
		int flag, lwpid
		pointer addr, wchan
		char stype, state, sname, nice
		short syscall
		char oldpri, cpu
		int pri
		uint16 pctcpu, pad
		timestruc_t start, time
		char clname[8], name[16]
		int onpro, bindpro, bindpset, lgrp
		int64 last_onproc
		int filler[2]`, timestruc)

	psinfo = simkernel.C("psinfo_t", `
		int flag, nlwp, pid, ppid, pgid, sid
		uint32 uid, euid, gid, egid
		pointer addr
		size size, rssize, pad1
		uint64 ttydev
		uint16 pctcpu, pctmem
		timestruc_t start, time, ctime
		char fname[16], psargs[80]
		int wstat, argc
		pointer argv, envp
		char dmodel, pad2[3]
		int taskid, projid, nzomb, poolid, zoneid, contract, filler
		lwpsinfo_t lwp`, timestruc, lwpsinfo)

	prusage = simkernel.C("prusage_t", `
		int lwpid, count
		timestruc_t tstamp, create, term, rtime, utime, stime, ttime, tftime, dftime, kftime, ltime, slptime, wtime, stoptime
		timestruc_t filltime[6]
		long minf, majf, nswap, inblk, oublk, msnd, mrcv, sigs, vctx, ictx, sysc, ioch
		long filler[10]`, timestruc)

	// Up to the signals that are traced: the rest is not read.
	pstatus = simkernel.C("pstatus_t", `
		int flags, nlwp, pid, ppid, pgid, sid, aslwpid, agentid
		uint32 sigpend[4]
		pointer brkbase
		size brksize
		pointer stkbase
		size stksize
		timestruc_t utime, stime, cutime, cstime
		uint32 sigtrace[4]`, timestruc)

	kstat = simkernel.C("kstat", `
		int64 crtime
		pointer next
		int kid
		char module[31], resv
		int instance
		char name[31], type, class[31], flags
		pointer data
		uint32 ndata
		size data_size
		int64 snaptime
		pointer update, private, snapshot, lock`)

	kstatNamed = simkernel.C("kstat_named", "char name[31], data_type\nint64 value[2]")

	kstatIO = simkernel.C("kstat_io", `
		uint64 nread, nwritten
		uint32 reads, writes
		int64 wtime, wlentime, wlastupdate, rtime, rlentime, rlastupdate
		uint32 wcnt, rcnt`)

	futmpx = simkernel.C("futmpx", `
		char user[32], id[4], line[32]
		int32 pid
		int16 type, termination, exit
		int32 sec, usec, session, pad[5]
		int16 syslen
		char host[257]`)

	prcred = simkernel.C("prcred_t", "uint32 euid, ruid, suid, egid, rgid, sgid\nint ngroups\nuint32 groups[1]")

	prheader = simkernel.C("prheader_t", "long nent, entsize")

	prxmap = simkernel.C("prxmap_t", `
		pointer vaddr
		size size
		char mapname[64]
		int64 offset
		int mflags, pagesize, shmid
		uint64 dev, ino
		size rss, anon, locked, pad
		uint64 hatpagesize
		long filler[7]`)

	// Up to pr_misc, which begins where the last member ends: it is an array of bytes.
	prfdinfo = simkernel.C("prfdinfo_t", `
		int fd
		uint32 mode
		uint64 ino, size
		int64 offset
		uint32 uid, gid, major, minor, rmajor, rminor
		int fileflags, fdflags
		short locktype
		int lockpid, locksysid, peerpid, filler[25]
		char peername[16], misc[1]`)

	lifnum  = simkernel.C("lifnum", "uint16 family\nint flags, count")
	lifconf = simkernel.C("lifconf", "uint16 family\nint flags, len\npointer buf")

	// The value is the largest member of the union, struct lif_nd_req.
	lifreq = simkernel.C("lifreq", `
		char name[32]
		int addrlen
		uint32 type
		uint64 value[42]`)

	sockaddrIn  = simkernel.C("sockaddr_in", "uint16 family, port\nchar addr[4], zero[8]")
	sockaddrIn6 = simkernel.C("sockaddr_in6", "uint16 family, port\nuint32 flowinfo\nchar addr[16]\nuint32 scope, src")
	sockaddrDL  = simkernel.C("sockaddr_dl", "uint16 family, index\nchar type, nlen, alen, slen, data[244]")

	swapent = simkernel.C("swapent", "pointer path\nlong start, length, pages, free\nint flags")

	optmgmt = simkernel.C("T_optmgmt_ack", "int PRIM_type, OPT_length, OPT_offset, MGMT_flags")
	opthdr  = simkernel.C("opthdr", "uint32 level, name, len")

	tcpInfo = simkernel.C("tcpConnEntryInfo_s", "uint32 snxt, suna, swnd, rnxt, rack, rwnd, rto, mss\nint state")

	tcpEntry = simkernel.C("mib2_tcpConnEntry", `
		pack 4
		int state
		char local[4]
		int localport
		char remote[4]
		int remoteport
		tcpConnEntryInfo_s info
		uint32 pid
		uint64 created`, tcpInfo)

	tcp6Entry = simkernel.C("mib2_tcp6ConnEntry", `
		pack 4
		uint32 local[4]
		int localport
		uint32 remote[4]
		int remoteport
		uint32 index
		int state
		tcpConnEntryInfo_s info
		uint32 pid
		uint64 created`, tcpInfo)

	udpEntry  = simkernel.C("mib2_udpEntry", "pack 4\nint local, localport, state, remote, remoteport\nuint32 instance, pid\nuint64 created")
	udp6Entry = simkernel.C("mib2_udp6Entry", `
		pack 4
		uint32 local[4]
		int localport
		uint32 index
		int state
		uint32 remote[4]
		int remoteport
		uint32 instance, pid
		uint64 created`)
)

// Declarations are the structures that answers of this kernel hold names and addresses in.
var Declarations = struct {
	Process, Login, Open, Acknowledgement, TCP, TCP6, UDP, UDP6 *simkernel.Struct
}{psinfo, futmpx, prfdinfo, optmgmt, tcpEntry, tcp6Entry, udpEntry, udp6Entry}
