# Answers each line of its input with what psutil says now, as one line of JSON:
# "processes" of all processes, "host" of the machine. Every value is a text. Strings
# stand there in hexadecimal, since they may hold any bytes; times are in hundredths
# of a second; "-" is for what cannot be compared.
#
# One process answers all questions, so that what it maps itself, and shares with the
# processes that it looks at, is the same before and after.
import glob, json, os, psutil, pwd, sys


def x(s):
    return os.fsencode(s).hex()


def lines(l):
    return "|".join(sorted(l))


def words(*values):
    return " ".join(map(str, values))


def hundredths(*seconds):
    return words(*(round(s * 100) for s in seconds))


def loads(*averages):
    # The kernel keeps them in 2048ths, and adds 10 of those before it cuts off behind the
    # second digit (loadavg_proc_show in fs/proc/loadavg.c): not always what rounding is.
    return words(*((round(s * 2048) + 10) * 100 // 2048 for s in averages))


def address(a):
    return "%s:%d" % (a[0], a[1]) if a else ""


def connection(c):
    if c.family == 1:  # AF_UNIX
        return "unix %d %d %s" % (c.fd, c.type, x(c.laddr))
    return "inet %d %d %s %s %s" % (c.family, c.type, address(c.laddr), address(c.raddr), c.status)


def switches(p):
    """Of all threads: psutil itself takes those of the first for all of them."""
    if p.num_threads() == 1:
        return words(*p.num_ctx_switches())
    voluntary = involuntary = 0
    for status in glob.glob("/proc/%d/task/*/status" % p.pid):
        with open(status, "rb") as f:
            for line in f:
                if line.startswith(b"voluntary_ctxt_switches:"):
                    voluntary += int(line.split()[1])
                elif line.startswith(b"nonvoluntary_ctxt_switches:"):
                    involuntary += int(line.split()[1])
    return words(voluntary, involuntary)


def owner(p):
    """Of the effective user: psutil itself names the real one."""
    try:
        return x(pwd.getpwuid(p.uids().effective).pw_name)
    except KeyError:
        return ""


def full_memory(p):
    m = p.memory_full_info()
    return words(m.uss, m.pss, m.swap)


def memory(p):
    m = p.memory_info()
    return words(m.rss, m.vms, m.shared, m.text, m.data)


def disk(p):
    d = p.io_counters()
    return words(d.read_count, d.write_count, d.read_bytes, d.write_bytes, d.read_chars, d.write_chars)


def memory_maps(p):
    # Without what depends on who else maps a page.
    return lines("%s %s %s %d %d %d %d %d %d" % (
        m.addr, m.perms, x(m.path), m.rss, m.shared_clean + m.private_clean, m.shared_dirty + m.private_dirty,
        m.referenced, m.anonymous, m.swap) for m in p.memory_maps(grouped=False))


def limits(p):
    names = [n for n in dir(psutil) if n.startswith("RLIMIT_")]
    return lines(words(n, *p.rlimit(getattr(psutil, n))) for n in names)


process = {
    # What metrics are made of.
    "cpu": lambda p: hundredths(*p.cpu_times()[:5]),
    "disk": disk,
    "switches": switches,
    "memory": memory,
    "full memory": full_memory,
    "descriptors": lambda p: str(p.num_fds()),
    "thread count": lambda p: str(p.num_threads()),
    "state": lambda p: p.status(),
    "owner": owner,
    "effective user": lambda p: str(p.uids().effective),
    "open files limit": lambda p: words(*p.rlimit(psutil.RLIMIT_NOFILE)),
    "allowed": lambda p: str(len(p.cpu_affinity())),
    "command": lambda p: x(p._proc.name()),  # name() goes on with what the arguments say
    # And details, or both.
    "exe": lambda p: x(p._proc.exe()),  # exe() guesses by the arguments where it is denied
    "cmdline": lambda p: x(" ".join(p.cmdline())),
    "environ": lambda p: lines("%s=%s" % (x(k), x(v)) for k, v in p.environ().items()),
    "nice": lambda p: str(p.nice()),
    "ionice": lambda p: "%d %d" % tuple(p.ionice()),
    "cpu number": lambda p: str(p.cpu_num()),
    "parent": lambda p: str(p.ppid()),
    "open files": lambda p: lines("%d %s %d %s %o" % (f.fd, x(f.path), f.position, f.mode, f.flags) for f in p.open_files()),
    "connections": lambda p: lines(set(map(connection, p.connections("all")))),
    "threads": lambda p: lines(words(t.id, hundredths(t.user_time, t.system_time)) for t in p.threads()),
    "memory maps": memory_maps,
    "limits": limits,
    "cwd": lambda p: x(p.cwd()),
    "uids": lambda p: words(*p.uids()),
    "gids": lambda p: words(*p.gids()),
    "terminal": lambda p: p.terminal() or "",
    "affinity": lambda p: words(*p.cpu_affinity()),
    "children": lambda p: lines(str(c.pid) for c in p.children()),
    "descendants": lambda p: lines(str(c.pid) for c in p.children(recursive=True)),
    "parents": lambda p: words(*(c.pid for c in p.parents())),
}


def answer(read, p):
    try:
        return read(p)
    except psutil.ZombieProcess:
        return "! zombie"
    except psutil.NoSuchProcess:
        return "! gone"
    except psutil.AccessDenied:
        return "! denied"
    except (FileNotFoundError, ProcessLookupError):
        return "! gone"


def processes():
    # The children of each process are looked up in a map of all of them, which would
    # be made anew for each.
    parents = psutil._psplatform.ppid_map()
    psutil._ppid_map = lambda: dict(parents)
    out = {}
    for p in psutil.process_iter():
        if p.pid != os.getpid():
            out[p.pid] = {name: answer(read, p) for name, read in process.items()}
            out[p.pid]["start"] = hundredths(p.create_time())
    return out


def host():
    out = {}
    seconds = lambda t: hundredths(t.user, t.nice, t.system, t.idle, t.iowait, t.irq + t.softirq, t.steal, t.guest, t.guest_nice)
    out["cpu"] = seconds(psutil.cpu_times())
    for i, t in enumerate(psutil.cpu_times(percpu=True)):
        out["cpu %d" % i] = seconds(t)
    m = psutil.virtual_memory()
    out["memory total"] = str(m.total)
    # used is what free(1) said before procps 4.0.1.
    out["memory"] = words(m.available, m.total - m.available, m.free, m.active, m.inactive, m.buffers, m.cached, m.shared, m.slab)
    s = psutil.swap_memory()
    out["swap"] = words(s.total, s.used, s.free)
    out["paging"] = words(s.sin, s.sout)
    for name, d in psutil.disk_io_counters(perdisk=True, nowrap=False).items():
        out["disk " + name] = words(
            d.read_count, d.write_count, d.read_bytes, d.write_bytes, d.read_time, d.write_time,
            d.read_merged_count, d.write_merged_count, d.busy_time)
    for name, n in psutil.net_io_counters(pernic=True, nowrap=False).items():
        out["net " + name] = words(
            n.bytes_sent, n.bytes_recv, n.packets_sent, n.packets_recv, n.errin, n.errout, n.dropin, n.dropout)
    partitions = psutil.disk_partitions(all=True)
    # Of the root psutil looks for another name than the kernel's.
    out["mounts"] = lines(words(
        "-" if p.mountpoint == "/" else x(p.device), x(p.mountpoint), p.fstype, p.opts.split(",")[0]) for p in partitions)
    for p in partitions:
        try:
            u = psutil.disk_usage(p.mountpoint)
        except OSError:
            continue
        out["usage " + x(p.mountpoint)] = words(u.total, u.used, u.free)
    for name, addresses in psutil.net_if_addrs().items():
        out["addresses " + name] = lines(words(
            int(a.family), a.address, "-" if a.family == psutil.AF_LINK else a.netmask,
            "-" if a.family == psutil.AF_LINK else a.broadcast or a.ptp or "none") for a in addresses)
    for name, s in psutil.net_if_stats().items():
        out["link " + name] = words({2: "full", 1: "half", 0: "unknown"}[int(s.duplex)], s.speed, s.mtu, s.flags)
    out["cpus"] = words(psutil.cpu_count(), psutil.cpu_count(logical=False) or "-")
    out["boot"] = str(round(psutil.boot_time()))
    c = psutil.cpu_stats()
    out["stats"] = words(c.ctx_switches, c.interrupts, c.soft_interrupts)
    out["load"] = loads(*psutil.getloadavg())
    out["users"] = lines(words(x(u.name), u.terminal, x(u.host), u.pid, round(u.started)) for u in psutil.users())
    out["pids"] = words(*psutil.pids())
    return out


for question in sys.stdin:
    json.dump({"processes": processes, "host": lambda: {"": host()}}[question.strip()](), sys.stdout)
    print(flush=True)
