package darwin

import "github.com/pidometer/pidometer/internal/simkernel"

// The structures of XNU 11417 (macOS 15) by their declarations, in the order and of the types
// of the headers: sys/sysctl.h, sys/proc.h, sys/ucred.h, sys/vm.h, sys/proc_info.h,
// sys/resource.h, sys/socketvar.h, netinet/in_pcb.h, netinet/tcp_var.h, net/if_var.h,
// net/if.h, sys/mount.h, mach/vm_statistics.h; utmpx.h of Libc, whose file has times of 32
// bits (utmpx32 in gen/utmpx-darwin.h).
var (
	timeval = simkernel.C("timeval", "int64 sec\nint32 usec")

	// struct extern_proc; its first member is a union with two pointers.
	externProc = simkernel.C("extern_proc", `
		timeval starttime
		pointer vmspace, sigacts
		int flag
		char stat
		int32 pid, oppid
		int dupfd
		pointer user_stack, exit_thread
		int debugger, sigwait
		uint32 estcpu
		int cpticks
		uint32 pctcpu
		pointer wchan, wmesg
		uint32 swtime, slptime
		timeval interval, value
		timeval rtime
		uint64 uticks, sticks, iticks
		int traceflag
		pointer tracep
		int siglist
		pointer textvp
		int holdcnt
		uint32 sigmask, sigignore, sigcatch
		uint8 priority, usrpri
		char nice, comm[17]
		pointer pgrp, addr
		uint16 xstat, acflag
		pointer ru`, timeval)

	pcred = simkernel.C("_pcred", `
		char lock[72]
		pointer ucred
		uint32 ruid, svuid, rgid, svgid
		int refcnt`)

	ucred = simkernel.C("_ucred", `
		int32 ref
		uint32 uid
		short ngroups
		uint32 groups[16]`)

	vmspace = simkernel.C("vmspace", `
		int32 dummy
		pointer dummy2
		int32 dummy3[5]
		pointer dummy4[3]`)

	eproc = simkernel.C("eproc", `
		pointer paddr, sess
		_pcred pcred
		_ucred ucred
		vmspace vm
		int32 ppid, pgid
		short jobc
		int32 tdev, tpgid
		pointer tsess
		char wmesg[8]
		int32 xsize
		short xrssize, xccount, xswrss
		int32 flag
		char login[12]
		int32 spare[4]`, pcred, ucred, vmspace)

	kinfoProc = simkernel.C("kinfo_proc", "extern_proc proc\neproc eproc", externProc, eproc)

	taskInfo = simkernel.C("proc_taskinfo", `
		uint64 virtual_size, resident_size, total_user, total_system, threads_user, threads_system
		int32 policy, faults, pageins, cow_faults, messages_sent, messages_received, syscalls_mach, syscalls_unix
		int32 csw, threadnum, numrunning, priority`)

	regionInfo = simkernel.C("proc_regioninfo", `
		uint32 protection, max_protection, inheritance, flags
		uint64 offset
		uint32 behavior, user_wired_count, user_tag, pages_resident, pages_shared_now_private, pages_swapped_out, pages_dirtied
		uint32 ref_count, shadow_depth, share_mode, private_pages_resident, shared_pages_resident, obj_id, depth
		uint64 address, size`)

	rusageInfo = simkernel.C("rusage_info_v2", `
		uint8 uuid[16]
		uint64 user_time, system_time, pkg_idle_wkups, interrupt_wkups, pageins, wired_size, resident_size, phys_footprint
		uint64 proc_start_abstime, proc_exit_abstime
		uint64 child_user_time, child_system_time, child_pkg_idle_wkups, child_interrupt_wkups, child_pageins, child_elapsed_abstime
		uint64 diskio_bytesread, diskio_byteswritten`)

	fdInfo = simkernel.C("proc_fdinfo", "int32 fd\nuint32 fdtype")

	xinpgen = simkernel.C("xinpgen", `
		pack 4
		uint32 len, count
		uint64 gen, sogen`)

	depend6 = simkernel.C("inp_depend6", `
		uint8 hlim
		int cksum
		uint16 ifindex
		short hops`)

	xinpcb = simkernel.C("xinpcb_n", `
		pack 4
		uint32 len, kind
		uint64 inpp
		uint16 fport, lport
		uint64 ppcb, gencnt
		int flags
		uint32 flow
		uint8 vflag, ip_ttl, ip_p
		uint32 faddr[4], laddr[4]
		uint8 ip_tos
		inp_depend6 depend6
		uint32 flowhash, flags2`, depend6)

	xsocket = simkernel.C("xsocket_n", `
		pack 4
		uint32 len, kind
		uint64 so
		short type
		uint32 options
		short linger, state
		uint64 pcb
		int protocol, family
		short qlen, incqlen, qlimit, timeo
		uint16 error
		int32 pgid
		uint32 oobmark, uid
		int32 last_pid, e_pid
		uint64 gencnt
		uint32 flags, flags1
		int32 usecount, retaincnt
		uint32 filter_flags`)

	xsockbuf = simkernel.C("xsockbuf_n", `
		pack 4
		uint32 len, kind, cc, hiwat, mbcnt, mbmax
		int32 lowat
		short flags, timeo`)

	// As far as the state: behind it are 42 numbers more.
	xtcpcb = simkernel.C("xtcpcb_n", `
		pack 4
		uint32 len, kind
		uint64 segq
		int dupacks, timer[4], state
		uint32 flags, more[42]`)

	vmStatistics = simkernel.C("vm_statistics64", `
		uint32 free_count, active_count, inactive_count, wire_count
		uint64 zero_fill_count, reactivations, pageins, pageouts, faults, cow_faults, lookups, hits, purges
		uint32 purgeable_count, speculative_count
		uint64 decompressions, compressions, swapins, swapouts
		uint32 compressor_page_count, throttled_count, external_page_count, internal_page_count
		uint64 total_uncompressed_pages_in_compressor`)

	swapUsage = simkernel.C("xsw_usage", `
		uint64 total, avail, used
		uint32 pagesize, encrypted`)

	ifData = simkernel.C("if_data64", `
		pack 4
		uint8 type, typelen, physical, addrlen, hdrlen, recvquota, xmitquota, unused1
		uint32 mtu, metric
		uint64 baudrate, ipackets, ierrors, opackets, oerrors, collisions, ibytes, obytes, imcasts, omcasts, iqdrops, noproto
		uint32 recvtiming, xmittiming, lastchange[2]`)

	ifMsghdr = simkernel.C("if_msghdr2", `
		pack 4
		uint16 msglen
		uint8 version, type
		int addrs, flags
		uint16 index
		int snd_len, snd_maxlen, snd_drops, timer
		if_data64 data`, ifData)

	statfs = simkernel.C("statfs", `
		uint32 bsize
		int32 iosize
		uint64 blocks, bfree, bavail, files, ffree
		int32 fsid[2]
		uint32 owner, type, flags, fssubtype
		char fstypename[16], mntonname[1024], mntfromname[1024]
		uint32 flags_ext, reserved[7]`)

	utmpx = simkernel.C("utmpx32", `
		char user[256], id[4], line[32]
		int32 pid
		short type
		uint32 tv[2]
		char host[256]
		uint32 pad[16]`)

	ifaMsghdr = simkernel.C("ifa_msghdr", `
		uint16 msglen
		uint8 version, type
		int addrs, flags
		uint16 index
		int metric`)

	fileInfo = simkernel.C("proc_fileinfo", `
		uint32 openflags, status
		int64 offset
		int32 type
		uint32 guardflags`)

	vinfoStat = simkernel.C("vinfo_stat", `
		uint32 dev
		uint16 mode, nlink
		uint64 ino
		uint32 uid, gid
		int64 atime, atimensec, mtime, mtimensec, ctime, ctimensec, birthtime, birthtimensec, size, blocks
		int32 blksize
		uint32 flags, gen, rdev
		int64 qspare[2]`)

	vnodeInfoPath = simkernel.C("vnode_info_path", `
		vinfo_stat stat
		int type, pad
		int32 fsid[2]
		char path[1024]`, vinfoStat)

	vnodePaths = simkernel.C("proc_vnodepathinfo", "vnode_info_path cdir, rdir", vnodeInfoPath)

	vnodeFile = simkernel.C("vnode_fdinfowithpath", "proc_fileinfo file\nvnode_info_path vnode", fileInfo, vnodeInfoPath)

	regionPath = simkernel.C("proc_regionwithpathinfo", "proc_regioninfo region\nvnode_info_path vnode", regionInfo, vnodeInfoPath)

	threadInfo = simkernel.C("proc_threadinfo", `
		uint64 user_time, system_time
		int32 cpu_usage, policy, run_state, flags, sleep_time, curpri, priority, maxpriority
		char name[64]`)

	insiV6 = simkernel.C("insi_v6", `
		uint8 hlim
		int cksum
		uint16 ifindex
		short hops`)

	inSockinfo = simkernel.C("in_sockinfo", `
		int fport, lport
		uint64 gencnt
		uint32 flags, flow
		uint8 vflag, ip_ttl
		uint32 rfu_1
		uint32 faddr[4], laddr[4]
		uint8 v4
		insi_v6 v6`, insiV6)

	tcpSockinfo = simkernel.C("tcp_sockinfo", `
		in_sockinfo ini
		int state, timer[4], mss
		uint32 flags, rfu_1
		uint64 tp`, inSockinfo)

	unSockinfo = simkernel.C("un_sockinfo", `
		uint64 conn_so, conn_pcb
		char addr[255], caddr[255]`)

	sockbufInfo = simkernel.C("sockbuf_info", `
		uint32 cc, hiwat, mbcnt, mbmax, lowat
		short flags, timeo`)

	// The union at the end has room for its largest, struct un_sockinfo.
	socketInfo = simkernel.C("socket_info", `
		vinfo_stat stat
		uint64 so, pcb
		int type, protocol, family
		short options, linger, state, qlen, incqlen, qlimit, timeo
		uint16 error
		uint32 oobmark
		sockbuf_info rcv, snd
		int kind
		uint32 rfu_1
		un_sockinfo proto`, vinfoStat, sockbufInfo, unSockinfo)

	socketFile = simkernel.C("socket_fdinfo", "proc_fileinfo file\nsocket_info socket", fileInfo, socketInfo)
)

// Declarations are the structures that answers of this kernel hold names and addresses in.
var Declarations = struct {
	Process, Paths, File, Region, Socket, Inet, Usage, Login, Mount, Message, Address, Inpcb *simkernel.Struct
}{kinfoProc, vnodePaths, vnodeFile, regionPath, socketFile, inSockinfo, rusageInfo, utmpx, statfs, ifMsghdr, ifaMsghdr, xinpcb}
