package freebsd

import "github.com/pidometer/pidometer/internal/simkernel"

// The structures of FreeBSD 12 to 15 by their declarations, in the order and of the types
// of the headers: sys/user.h, sys/_timeval.h, sys/resource.h, sys/file.h,
// sys/socketvar.h, netinet/in_pcb.h, netinet/tcp_var.h, sys/devicestat.h, net/if.h,
// sys/mount.h and vm/vm_param.h of freebsd-src.
var (
	timeval = simkernel.C("timeval", "long sec\nlong usec")
	bintime = simkernel.C("bintime", "int64 sec\nuint64 frac")

	rusage = simkernel.C("rusage", `
		timeval utime
		timeval stime
		long maxrss, ixrss, idrss, isrss, minflt, majflt, nswap, inblock, oublock, msgsnd, msgrcv, nsignals, nvcsw, nivcsw`, timeval)

	kinfoProc = simkernel.C("kinfo_proc", `
		int structsize, layout
		pointer args, paddr, addr, tracep, textvp, fd, vmspace, wchan
		int32 pid, ppid, pgid, tpgid, sid, tsid
		short jobc, spare_short1
		uint32 tdev_freebsd11
		uint32 siglist[4], sigmask[4], sigignore[4], sigcatch[4]
		uint32 uid, ruid, svuid, rgid, svgid
		short ngroups, spare_short2
		uint32 groups[16]
		size size
		long rssize, swrss, tsize, dsize, ssize
		uint16 xstat, acflag
		uint32 pctcpu, estcpu, slptime, swtime, cow
		uint64 runtime
		timeval start, childtime
		long flag, kiflag
		int traceflag
		char stat, nice, lock, rqindex, oncpu_old, lastcpu_old
		char tdname[17], wmesg[9], login[18], lockname[9], comm[20], emul[17], loginclass[18], moretdname[4]
		char sparestrings[46]
		int spareints[2]
		uint64 tdev
		int oncpu, lastcpu, tracer, flag2, fibnum
		uint32 cr_flags
		int jid, numthreads
		int32 tid
		char pri[4]
		rusage rusage, rusage_ch
		pointer pcb, kstack, udata, tdaddr, pd
		pointer spareptrs[5]
		long sparelongs[12]
		long sflag, tdflags`, timeval, rusage)

	xfile = simkernel.C("xfile", `
		size size
		int32 pid
		uint32 uid
		int fd, pad1
		uint64 file
		short type, pad2
		int count, msgcount, pad3
		int64 offset
		uint64 data, vnode
		uint32 flag
		int pad4
		int64 pad5[6]`)

	xsockbuf = simkernel.C("xsockbuf", `
		uint32 cc, hiwat, mbcnt, mcnt, ccnt, mbmax
		int32 lowat, timeo
		int16 flags`)

	xsocket = simkernel.C("xsocket", `
		size len
		uint64 so, pcb, oobmark
		int64 spare64[8]
		int32 protocol, family
		uint32 qlen, incqlen, qlimit
		int32 pgid
		uint32 uid
		int32 spare32[8]
		int16 type, options, linger, state, timeo
		uint16 error
		xsockbuf rcv, snd`, xsockbuf)

	// struct in_conninfo: flags, length, routing table, then the ports, the addresses and
	// the zone of struct in_endpoints.
	conninfo = simkernel.C("in_conninfo", `
		uint8 flags, len
		uint16 fibnum
		uint16 fport, lport
		uint32 faddr[4], laddr[4]
		uint32 zoneid`)

	xinpcb = simkernel.C("xinpcb", `
		size len
		xsocket socket
		in_conninfo inc
		uint64 gencnt, ppcb
		int64 spare64[4]
		uint32 flow, flowid, flowtype
		int32 flags, flags2, rss, cksum
		int32 spare32[4]
		uint16 hops
		uint8 tos, pad8, vflag, ttl, p, minttl
		int8 spare8[4]`, xsocket, conninfo)

	xtcpcb = simkernel.C("xtcpcb", `
		size len
		xinpcb inp
		char stack[32], logid[64]
		int64 spare64[8]
		int32 state
		uint32 flags
		int32 sndzerowin, sndrexmitpack, rcvoopack, rcvtime, rexmt, persist, keep, msl2, delack, logstate
		int32 spare32[32]`, xinpcb)

	xinpgen = simkernel.C("xinpgen", `
		size len
		uint32 count, spare32
		uint64 gen, sogen
		uint64 spare64[4]`)

	devstat = simkernel.C("devstat", `
		uint32 sequence0
		int allocated
		uint32 start_count, end_count
		bintime busy_from
		pointer dev_links
		uint32 device_number
		char device_name[16]
		int unit_number
		uint64 bytes[4], operations[4]
		bintime duration[4]
		bintime busy_time, creation_time
		uint32 block_size
		uint64 tag_types[3]
		int flags, device_type, priority
		pointer id
		uint32 sequence1`, bintime)

	ifData = simkernel.C("if_data", `
		uint8 type, physical, addrlen, hdrlen, link_state, vhid
		uint16 datalen
		uint32 mtu, metric
		uint64 baudrate, ipackets, ierrors, opackets, oerrors, collisions, ibytes, obytes, imcasts, omcasts, iqdrops, oqdrops, noproto, hwassist
		int64 epoch
		timeval lastchange`, timeval)

	ifMsghdr = simkernel.C("if_msghdr", `
		uint16 msglen
		uint8 version, type
		int addrs, flags
		uint16 index, spare
		if_data data`, ifData)

	ifaMsghdr = simkernel.C("ifa_msghdr", `
		uint16 msglen
		uint8 version, type
		int addrs, flags
		uint16 index, spare
		int metric`)

	statfs = simkernel.C("statfs", `
		uint32 version, type
		uint64 flags, bsize, iosize, blocks, bfree
		int64 bavail
		uint64 files
		int64 ffree
		uint64 syncwrites, asyncwrites, syncreads, asyncreads
		uint32 nvnodelistsize, spare0
		uint64 spare[9]
		uint32 namemax, owner
		int32 fsid[2]
		char charspare[80], fstypename[16], mntfromname[1024], mntonname[1024]`)

	xswdev = simkernel.C("xswdev", `
		uint32 version
		uint64 dev
		int flags, nblks, used`)

	// struct kinfo_file of what is a file or a folder: kf_un.kf_file.
	kinfoFile = simkernel.C("kinfo_file", `
		int structsize, type, fd, ref_count, flags, pad0
		int64 offset
		int file_type, spareint[3]
		uint64 spareint64[30]
		uint64 file_fsid, file_rdev, file_fileid, file_size
		uint32 file_fsid_freebsd11, file_rdev_freebsd11
		uint16 file_mode, file_pad0
		uint32 file_pad1
		uint16 status, pad1
		int ispare0
		uint64 cap_rights[2], cap_spare
		char path[1024]`)

	// The same of what is a socket: kf_un.kf_sock.
	kinfoSocket = simkernel.C("kinfo_file", `
		int structsize, type, fd, ref_count, flags, pad0
		int64 offset
		uint32 sendq
		int domain, sock_type, protocol
		uint64 local[16], peer[16], pcb, inpcb, unpconn
		uint16 snd_sb_state, rcv_sb_state
		uint32 recvq
		uint16 status, pad1
		int ispare0
		uint64 cap_rights[2], cap_spare
		char path[1024]`)

	kinfoVmentry = simkernel.C("kinfo_vmentry", `
		int structsize, type
		uint64 start, end, offset, vn_fileid
		uint32 vn_fsid_freebsd11
		int flags, resident, private_resident, protection, ref_count, shadow_count, vn_type
		uint64 vn_size
		uint32 vn_rdev_freebsd11
		uint16 vn_mode, status
		uint64 vn_fsid, vn_rdev
		int is_spare[8]
		char path[1024]`)
)

// Declarations are the structures that answers of this kernel hold names and addresses in.
var Declarations = struct {
	Process, Open, File, Socket, Region, Mount, Message, Address, Inpcb, Tcpcb *simkernel.Struct
}{kinfoProc, xfile, kinfoFile, kinfoSocket, kinfoVmentry, statfs, ifMsghdr, ifaMsghdr, xinpcb, xtcpcb}
