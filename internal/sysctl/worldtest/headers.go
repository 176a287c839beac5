package worldtest

// Declarations of the headers of each system, in the form that [Parse] takes.
type headers struct {
	process, file, socket, disk, message, mount, login, memory Struct
}

// What kinfo_proc2 and kinfo_proc have in common (sys/sysctl.h of NetBSD 10 and of
// OpenBSD 7): up to the numbers of users and groups but for p_cwdi, and further on.
const (
	rowIDs = ` int p_eflag p_exitsig p_flag p_pid p_ppid p_sid p__pgid p_tpgid
u32 p_uid p_ruid p_gid p_rgid p_groups[16] u16 p_ngroups p_jobc
u32 p_tdev p_estcpu p_rtime_sec p_rtime_usec int p_cpticks u32 p_pctcpu p_swtime p_slptime int p_schedflags
u64 p_uticks p_sticks p_iticks p_tracep int p_traceflag p_holdcnt `
	rowState = ` u8 p_stat p_priority p_usrpri p_nice u16 p_xstat p_acflag char p_comm[24] p_wmesg[8] u64 p_wchan `
	rowSizes = ` int p_vm_rssize p_vm_tsize p_vm_dsize p_vm_ssize u64 p_uvalid `
	rowTimes = ` u32 p_ustart_usec p_uutime_sec p_uutime_usec p_ustime_sec p_ustime_usec
u64 p_uru_maxrss p_uru_ixrss p_uru_idrss p_uru_isrss p_uru_minflt p_uru_majflt p_uru_nswap
p_uru_inblock p_uru_oublock p_uru_msgsnd p_uru_msgrcv p_uru_nsignals p_uru_nvcsw p_uru_nivcsw
u32 p_uctime_sec p_uctime_usec `
)

func netbsdHeaders() headers {
	return headers{
		process: Parse(`u64 p_forw p_back p_paddr p_addr p_fd p_cwdi p_stats p_limit p_vmspace p_sigacts p_sess p_tsess p_ru` + rowIDs +
			`u32 p_siglist[4] p_sigmask[4] p_sigignore[4] p_sigcatch[4]` + rowState + `char p_login[24]` + rowSizes + `u32 p_ustart_sec` + rowTimes +
			`u64 p_cpuid p_realflag p_nlwps p_nrlwps p_realstat u32 p_svuid p_svgid char p_ename[16] u64 p_vm_vsize p_vm_msize`),
		file: Parse(`u64 fileaddr u32 flag iflags ftype count msgcount usecount u64 fucred u32 fuid fgid u64 fops foffset fdata
			vun vsize u32 vtype vtag u64 vdata u32 pid int fd u32 ofileflags pad`),
		socket: Parse(`u64 pcbaddr ppcbaddr sockaddr u32 family type protocol pflags sostate prstate int tstate u32 tflags u64 rcvq sndq
			char src[264] dst[264] u64 inode vnode conn refs nextref`),
		disk: Parse(`char name[16] int busy type u64 xfer seek bytes u32 attachtime_sec attachtime_usec timestamp_sec timestamp_usec
			time_sec time_usec u64 rxfer rbytes wxfer wbytes`),
		message: Parse(`u16 msglen u8 version type int addrs flags u16 index u64 align[0] u8 data_type addrlen hdrlen int link_state
			u64 mtu metric baudrate ipackets ierrors opackets oerrors collisions ibytes obytes imcasts omcasts iqdrops noproto lastchange[2]`),
		mount: Parse(`u64 flags bsize frsize iosize blocks bfree bavail bresvd files ffree favail fresvd syncreads syncwrites asyncreads asyncwrites
			int fsidx[2] u64 fsid namemax u32 owner spare[4] char fstypename[32] mntonname[1024] mntfromname[1024]`),
		login: Parse(`char name[32] id[4] line[32] host[256] u16 session type int pid u16 termination exit u64 ss[16] tv_sec int tv_usec u64 align[0] u32 pad[10]`),
		memory: Parse(`u64 pagesize pagemask pageshift npages free active inactive paging wired zeropages reserve_pagedaemon reserve_kernel
			freemin freetarg inactarg wiredmax nswapdev swpages swpginuse swpgonly nswget unused1 cpuhit cpumiss faults traps intrs swtch softs
			syscalls pageins swapins swapouts pgswapin pgswapout forks forks_ppwait forks_sharevm pga_zerohit pga_zeromiss zeroaborts fltnoram
			fltnoanon fltpgwait fltpgrele fltrelck fltrelckok fltanget fltanretry fltamcopy fltnamap fltnomap fltlget fltget flt_anon flt_acow
			flt_obj flt_prcopy flt_przero pdwoke pdrevs unused4 pdfreed pdscans pdanscan pdobscan pdreact pdbusy pdpageouts pdpending pddeact
			anonpages filepages execpages colorhit colormiss ncolors bootpages poolpages`),
	}
}

func openbsdHeaders() headers {
	return headers{
		process: Parse(`u64 p_forw p_back p_paddr p_addr p_fd p_stats p_limit p_vmspace p_sigacts p_sess p_tsess p_ru` + rowIDs +
			`u32 p_siglist p_sigmask p_sigignore p_sigcatch` + rowState + `char p_login[32]` + rowSizes + `u64 p_ustart_sec` + rowTimes +
			`int p_psflags spare u32 p_svuid p_svgid char p_emul[8] u64 p_rlim_rss_cur p_cpuid p_vm_map_size int p_tid u32 p_rtableid
			u64 p_pledge char p_name[24]`),
		file: Parse(`u64 fileaddr u32 flag iflags ftype count msgcount usecount u64 ucred u32 uid gid u64 ops offset data rxfer rwfer seek rbytes wbytes
			v_un u32 v_type v_tag v_flag va_rdev u64 v_data v_mount va_fileid va_size u32 va_mode va_fsid char mntonname[96]
			u32 type state u64 so_pcb u32 protocol family u64 inp_ppcb u32 lport laddru[4] fport faddru[4] u64 unp_conn pipe_peer
			u32 pipe_state kq_count kq_state unused pid int fd u32 ofileflags p_uid p_gid p_tid char p_comm[24] u32 rtableid
			u64 so_splice so_splicelen rcv_cc snd_cc unp_refs unp_nextref unp_addr char unp_path[104] u32 inp_proto tstate
			u64 rcv_wnd snd_wnd snd_cwnd u32 va_nlink`),
		disk: Parse(`char name[16] int busy u64 rxfer wxfer seek rbytes wbytes attach_sec attach_usec stamp_sec stamp_usec time_sec time_usec`),
		message: Parse(`u16 msglen u8 version type u16 hdrlen index tableid u8 pad1 pad2 int addrs flags xflags u64 align[0] u8 data_type addrlen hdrlen2 link_state
			u32 mtu metric rdomain u64 baudrate ipackets ierrors opackets oerrors collisions ibytes obytes imcasts omcasts iqdrops oqdrops noproto
			u32 capabilities u64 lastchange[2]`),
		mount: Parse(`u32 flags bsize iosize u64 blocks bfree bavail files ffree favail syncwrites syncreads asyncwrites asyncreads u64 fsid
			u32 namemax owner u64 ctime char fstypename[16] mntonname[90] mntfromname[90] mntfromspec[90] u64 mount_info[20]`),
		login: Parse(`char line[8] name[32] host[256] u64 tv_sec`),
		memory: Parse(`int pagesize pagemask pageshift npages free active inactive paging wired zeropages reserve_pagedaemon reserve_kernel unused01
			vnodepages vtextpages freemin freetarg inactarg wiredmax anonmin vtextmin vnodemin anonminpct vtextminpct vnodeminpct
			nswapdev swpages swpginuse swpgonly nswget nanon unused05 unused06 faults traps intrs swtch softs syscalls pageins unused07 unused08
			pgswapin pgswapout forks forks_ppwait forks_sharevm pga_zerohit pga_zeromiss unused09 fltnoram fltnoanon fltnoamap fltpgwait fltpgrele
			fltrelck fltrelckok fltanget fltanretry fltamcopy fltnamap fltnomap fltlget fltget flt_anon flt_acow flt_obj flt_prcopy flt_przero
			pdwoke pdrevs pdswout pdfreed pdscans pdanscan pdobscan pdreact pdbusy pdpageouts pdpending pddeact unused11 unused12 unused13 fpswtch kmapent`),
	}
}
