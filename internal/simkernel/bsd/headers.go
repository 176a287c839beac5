package bsd

import "github.com/pidometer/pidometer/internal/simkernel"

// headers are the structures of a system by their declarations.
type headers struct {
	process, file, socket, disk, message, address, mount, login, memory *simkernel.Struct

	region         *simkernel.Struct // a mapping
	thread         *simkernel.Struct // of NetBSD
	device, sensor *simkernel.Struct // of OpenBSD
}

// NetBSD as of sys/sysctl.h, sys/disk.h or sys/iostat.h, net/if.h, sys/mount.h, utmp.h or utmpx.h and uvm.
var netBSD = headers{
	process: simkernel.C("process", `
		uint64 forw, back, paddr, addr, fd, cwdi, stats, limit, vmspace, sigacts, sess, tsess, ru
		int eflag, exitsig, flag, pid, ppid, sid, _pgid, tpgid
		uint32 uid, ruid, gid, rgid, groups[16]
		uint16 ngroups, jobc
		uint32 tdev, estcpu, rtime_sec, rtime_usec
		int cpticks
		uint32 pctcpu, swtime, slptime
		int schedflags
		uint64 uticks, sticks, iticks, tracep
		int traceflag, holdcnt
		uint32 siglist[4], sigmask[4], sigignore[4], sigcatch[4]
		uint8 stat, priority, usrpri, nice
		uint16 xstat, acflag
		char comm[24], wmesg[8]
		uint64 wchan
		char login[24]
		int vm_rssize, vm_tsize, vm_dsize, vm_ssize
		uint64 uvalid
		uint32 ustart_sec
		uint32 ustart_usec, uutime_sec, uutime_usec, ustime_sec, ustime_usec
		uint64 uru_maxrss, uru_ixrss, uru_idrss, uru_isrss, uru_minflt, uru_majflt, uru_nswap, uru_inblock, uru_oublock
		uint64 uru_msgsnd, uru_msgrcv, uru_nsignals, uru_nvcsw, uru_nivcsw
		uint32 uctime_sec, uctime_usec
		uint64 cpuid, realflag, nlwps, nrlwps, realstat
		uint32 svuid, svgid
		char ename[16]
		uint64 vm_vsize, vm_msize`),
	file: simkernel.C("file", `
		uint64 fileaddr
		uint32 flag, iflags, ftype, count, msgcount, usecount
		uint64 fucred
		uint32 fuid, fgid
		uint64 fops, foffset, fdata, vun, vsize
		uint32 vtype, vtag
		uint64 vdata
		uint32 pid
		int fd
		uint32 ofileflags, pad`),
	socket: simkernel.C("socket", `
		uint64 pcbaddr, ppcbaddr, sockaddr
		uint32 family, type, protocol, pflags, sostate, prstate
		int tstate
		uint32 tflags
		uint64 rcvq, sndq
		char src[264], dst[264]
		uint64 inode, vnode, conn, refs, nextref`),
	disk: simkernel.C("disk", `
		char name[16]
		int busy, type
		uint64 xfer, seek, bytes
		uint32 attachtime_sec, attachtime_usec, timestamp_sec, timestamp_usec, time_sec, time_usec
		uint64 rxfer, rbytes, wxfer, wbytes`),
	message: simkernel.C("message", `
		uint16 msglen
		uint8 version, type
		int addrs, flags
		uint16 index
		uint64 align[0]
		uint8 data_type, addrlen, hdrlen
		int link_state
		uint64 mtu, metric, baudrate, ipackets, ierrors, opackets, oerrors, collisions, ibytes, obytes, imcasts, omcasts
		uint64 iqdrops, noproto, lastchange[2]`),
	mount: simkernel.C("mount", `
		uint64 flags, bsize, frsize, iosize, blocks, bfree, bavail, bresvd, files, ffree, favail, fresvd, syncreads, syncwrites
		uint64 asyncreads, asyncwrites
		int fsidx[2]
		uint64 fsid, namemax
		uint32 owner, spare[4]
		char fstypename[32], mntonname[1024], mntfromname[1024]`),
	login: simkernel.C("login", `
		char name[32], id[4], line[32], host[256]
		uint16 session, type
		int pid
		uint16 termination, exit
		uint64 ss[16], tv_sec
		int tv_usec
		uint64 align[0]
		uint32 pad[10]`),
	memory: simkernel.C("memory", `
		uint64 pagesize, pagemask, pageshift, npages, free, active, inactive, paging, wired, zeropages, reserve_pagedaemon
		uint64 reserve_kernel, freemin, freetarg, inactarg, wiredmax, nswapdev, swpages, swpginuse, swpgonly, nswget, unused1
		uint64 cpuhit, cpumiss, faults, traps, intrs, swtch, softs, syscalls, pageins, swapins, swapouts, pgswapin, pgswapout
		uint64 forks, forks_ppwait, forks_sharevm, pga_zerohit, pga_zeromiss, zeroaborts, fltnoram, fltnoanon, fltpgwait
		uint64 fltpgrele, fltrelck, fltrelckok, fltanget, fltanretry, fltamcopy, fltnamap, fltnomap, fltlget, fltget, flt_anon
		uint64 flt_acow, flt_obj, flt_prcopy, flt_przero, pdwoke, pdrevs, unused4, pdfreed, pdscans, pdanscan, pdobscan, pdreact
		uint64 pdbusy, pdpageouts, pdpending, pddeact, anonpages, filepages, execpages, colorhit, colormiss, ncolors, bootpages
		uint64 poolpages`),
	thread: simkernel.C("kinfo_lwp", `
		uint64 forw, back, laddr, addr
		int32 lid, flag
		uint32 swtime, slptime
		int32 schedflags, holdcnt
		uint8 priority, usrpri
		int8 stat, pad1
		int32 pad2
		char wmesg[8]
		uint64 wchan, cpuid
		uint32 rtime_sec, rtime_usec, cpticks, pctcpu, pid
		char name[20]`),
	region: simkernel.C("kinfo_vmentry", `
		uint64 start, end, offset
		uint32 type, flags, count, wired_count, advice, attributes, protection, max_protection, ref_count, inheritance
		uint64 vn_fileid, vn_size, vn_fsid, vn_rdev
		uint32 vn_type, vn_mode
		char path[1024]`),
	// Aligned to 64 bits as a whole.
	address: simkernel.C("ifa_msghdr", `
		uint16 msglen
		uint8 version, type
		uint16 index
		int flags, addrs, pid, addrflags, metric
		uint64 aligned[0]`),
}

// OpenBSD as of sys/sysctl.h, sys/disk.h or sys/iostat.h, net/if.h, sys/mount.h, utmp.h or utmpx.h and uvm.
var openBSD = headers{
	process: simkernel.C("process", `
		uint64 forw, back, paddr, addr, fd, stats, limit, vmspace, sigacts, sess, tsess, ru
		int eflag, exitsig, flag, pid, ppid, sid, _pgid, tpgid
		uint32 uid, ruid, gid, rgid, groups[16]
		uint16 ngroups, jobc
		uint32 tdev, estcpu, rtime_sec, rtime_usec
		int cpticks
		uint32 pctcpu, swtime, slptime
		int schedflags
		uint64 uticks, sticks, iticks, tracep
		int traceflag, holdcnt
		uint32 siglist, sigmask, sigignore, sigcatch
		uint8 stat, priority, usrpri, nice
		uint16 xstat, acflag
		char comm[24], wmesg[8]
		uint64 wchan
		char login[32]
		int vm_rssize, vm_tsize, vm_dsize, vm_ssize
		uint64 uvalid
		uint64 ustart_sec
		uint32 ustart_usec, uutime_sec, uutime_usec, ustime_sec, ustime_usec
		uint64 uru_maxrss, uru_ixrss, uru_idrss, uru_isrss, uru_minflt, uru_majflt, uru_nswap, uru_inblock, uru_oublock
		uint64 uru_msgsnd, uru_msgrcv, uru_nsignals, uru_nvcsw, uru_nivcsw
		uint32 uctime_sec, uctime_usec
		int psflags, spare
		uint32 svuid, svgid
		char emul[8]
		uint64 rlim_rss_cur, cpuid, vm_map_size
		int tid
		uint32 rtableid
		uint64 pledge
		char name[24]`),
	file: simkernel.C("file", `
		uint64 fileaddr
		uint32 flag, iflags, ftype, count, msgcount, usecount
		uint64 ucred
		uint32 uid, gid
		uint64 ops, offset, data, rxfer, rwfer, seek, rbytes, wbytes, v_un
		uint32 v_type, v_tag, v_flag, va_rdev
		uint64 v_data, v_mount, va_fileid, va_size
		uint32 va_mode, va_fsid
		char mntonname[96]
		uint32 type, state
		uint64 so_pcb
		uint32 protocol, family
		uint64 inp_ppcb
		uint32 lport, laddru[4], fport, faddru[4]
		uint64 unp_conn, pipe_peer
		uint32 pipe_state, kq_count, kq_state, unused, pid
		int fd
		uint32 ofileflags, owner_uid, owner_gid, owner_tid
		char comm[24]
		uint32 rtableid
		uint64 so_splice, so_splicelen, rcv_cc, snd_cc, unp_refs, unp_nextref, unp_addr
		char unp_path[104]
		uint32 inp_proto, tstate
		uint64 rcv_wnd, snd_wnd, snd_cwnd
		uint32 va_nlink`),
	disk: simkernel.C("disk", `
		char name[16]
		int busy
		uint64 rxfer, wxfer, seek, rbytes, wbytes, attach_sec, attach_usec, stamp_sec, stamp_usec, time_sec, time_usec`),
	message: simkernel.C("message", `
		uint16 msglen
		uint8 version, type
		uint16 hdrlen, index, tableid
		uint8 pad1, pad2
		int addrs, flags, xflags
		uint64 align[0]
		uint8 data_type, addrlen, hdrlen2, link_state
		uint32 mtu, metric, rdomain
		uint64 baudrate, ipackets, ierrors, opackets, oerrors, collisions, ibytes, obytes, imcasts, omcasts, iqdrops, oqdrops
		uint64 noproto
		uint32 capabilities
		uint64 lastchange[2]`),
	mount: simkernel.C("mount", `
		uint32 flags, bsize, iosize
		uint64 blocks, bfree, bavail, files, ffree, favail, syncwrites, syncreads, asyncwrites, asyncreads
		uint64 fsid
		uint32 namemax, owner
		uint64 ctime
		char fstypename[16], mntonname[90], mntfromname[90], mntfromspec[90]
		uint64 mount_info[20]`),
	login: simkernel.C("login", `
		char line[8], name[32], host[256]
		uint64 tv_sec`),
	memory: simkernel.C("memory", `
		int pagesize, pagemask, pageshift, npages, free, active, inactive, paging, wired, zeropages, reserve_pagedaemon
		int reserve_kernel, unused01, vnodepages, vtextpages, freemin, freetarg, inactarg, wiredmax, anonmin, vtextmin, vnodemin
		int anonminpct, vtextminpct, vnodeminpct, nswapdev, swpages, swpginuse, swpgonly, nswget, nanon, unused05, unused06
		int faults, traps, intrs, swtch, softs, syscalls, pageins, unused07, unused08, pgswapin, pgswapout, forks, forks_ppwait
		int forks_sharevm, pga_zerohit, pga_zeromiss, unused09, fltnoram, fltnoanon, fltnoamap, fltpgwait, fltpgrele, fltrelck
		int fltrelckok, fltanget, fltanretry, fltamcopy, fltnamap, fltnomap, fltlget, fltget, flt_anon, flt_acow, flt_obj
		int flt_prcopy, flt_przero, pdwoke, pdrevs, pdswout, pdfreed, pdscans, pdanscan, pdobscan, pdreact, pdbusy, pdpageouts
		int pdpending, pddeact, unused11, unused12, unused13, fpswtch, kmapent`),
	address: simkernel.C("ifa_msghdr", `
		uint16 msglen
		uint8 version, type
		uint16 hdrlen, index, tableid
		uint8 pad1, pad2
		int addrs, flags, metric`),
	region: simkernel.C("kinfo_vmentry", `
		uint64 start, end, guard, fspace, fspace_augment, offset
		int wired_count, etype, protection, max_protection, advice, inheritance
		uint8 flags`),
	device: simkernel.C("sensordev", "int num\nchar xname[16]\nint maxnumt[23], sensors_count"),
	sensor: simkernel.C("sensor", "char desc[32]\nuint64 tv[2], value\nint type, status, numt, flags"),
}

// Declarations are the structures that answers of a kernel hold names and addresses in.
type Declarations struct {
	Process, File, Socket, Message, Address, Mount, Login, Thread, Region *simkernel.Struct
}

// NetBSDDeclarations and OpenBSDDeclarations are those of the two.
var (
	NetBSDDeclarations  = netBSD.declarations()
	OpenBSDDeclarations = openBSD.declarations()
)

func (h *headers) declarations() Declarations {
	return Declarations{h.process, h.file, h.socket, h.message, h.address, h.mount, h.login, h.thread, h.region}
}
