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
)
