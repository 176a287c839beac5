package linux

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// The tools of procps, iproute2, coreutils and util-linux, and sysfs, each spelled as
// spellHost spells what we say. "-" is what one of them does not tell.
var hostTools = map[string]func(t *testing.T) map[string]string{
	"free":   spellFree,
	"vmstat": spellVmstat,
	"df":     spellDf,
	"ip":     spellIPLinks,
	"lscpu":  spellLscpu,
	"ss":     spellSockets,
	"proc":   spellTables,
	"sysfs":  spellSysfs,
}

func TestLiveHostAgainstTools(t *testing.T) {
	for name, say := range hostTools {
		t.Run(name, func(t *testing.T) {
			o, err := New(Options{AllDevices: true})
			if err != nil {
				t.Fatal(err)
			}
			defer o.Close()
			const own = 16 << 20 // of a tool while it runs
			sandwich(t, own, func() map[string]string { return say(t) }, func() map[string]string { return spellHost(o.(*backend)) })
		})
	}
}

// spellFree leaves out what free(1) called used before 4.0.1.
func spellFree(t *testing.T) map[string]string {
	rows := map[string][]string{}
	for line := range strings.Lines(tool(t, "free", "-b")) {
		if f := strings.Fields(line); len(f) > 3 {
			rows[f[0]] = f[1:]
		}
	}
	memory, swap := rows["Mem:"], rows["Swap:"] // total used free shared buff/cache available
	if len(memory) != 6 || len(swap) != 3 {
		t.Skipf("free prints another table: %v", rows)
	}
	if version := tool(t, "free", "--version"); strings.Contains(version, " 3.") || strings.Contains(version, " 4.0.0") {
		memory[1] = "-"
	}
	return map[string]string{
		"memory total": memory[0],
		"memory":       strings.Join([]string{memory[5], memory[1], memory[2], "- - - -", memory[3], "-"}, " "),
		"buffers":      memory[4],
		"swap":         strings.Join(swap, " "),
	}
}

func spellVmstat(t *testing.T) map[string]string {
	values := map[string]uint64{}
	for line := range strings.Lines(tool(t, "vmstat", "-s")) {
		number, name, _ := strings.Cut(strings.TrimSpace(line), " ")
		v, err := strconv.ParseUint(number, 10, 64)
		if err != nil {
			t.Skipf("vmstat prints another table: %q", line)
		}
		values[name] = v
	}
	kilo := func(name string) uint64 { return values["K "+name] << 10 }
	page := uint64(os.Getpagesize())
	return map[string]string{
		"memory total": fmt.Sprint(kilo("total memory")),
		"memory":       fmt.Sprintf("- - %d %d %d %d - - -", kilo("free memory"), kilo("active memory"), kilo("inactive memory"), kilo("buffer memory")),
		"swap":         fmt.Sprint(kilo("total swap"), kilo("used swap"), kilo("free swap")),
		"cpu": fmt.Sprintf("- %d %d %d %d %d %d - -", values["nice user cpu ticks"], values["system cpu ticks"], values["idle cpu ticks"],
			values["IO-wait cpu ticks"], values["IRQ cpu ticks"]+values["softirq cpu ticks"], values["stolen cpu ticks"]),
		"paging": fmt.Sprint(values["pages swapped in"]*page, values["pages swapped out"]*page),
		"stats":  fmt.Sprintf("%d %d -", values["CPU context switches"], values["interrupts"]),
		"forks":  fmt.Sprint(values["forks"]),
		"boot":   fmt.Sprint(values["boot time"]),
	}
}

// spellDf has the name of the mount point first, which may hold blanks.
func spellDf(t *testing.T) map[string]string {
	const columns = 6
	told := map[string]string{}
	_, table, _ := strings.Cut(tool(t, "df", "-B1", "--output=target,size,used,avail,itotal,iused,iavail"), "\n")
	for line := range strings.Lines(table) {
		f := strings.Fields(line)
		if len(f) <= columns {
			continue
		}
		numbers, point := f[len(f)-columns:], hexOf(strings.Join(f[:len(f)-columns], " "))
		told["usage "+point] = strings.Join(numbers[:3], " ")
		told["inodes "+point] = strings.Join(numbers[3:], " ")
	}
	return told
}

// spellIPLinks leaves out what was dropped on the way in: /proc/net/dev adds what the
// hardware missed (dev_seq_printf_stats in net/core/net-procfs.c), ip does not.
func spellIPLinks(t *testing.T) map[string]string {
	type counters struct{ Bytes, Packets, Errors, Dropped uint64 }
	var links []struct {
		Name  string                    `json:"ifname"`
		Stats struct{ Rx, Tx counters } `json:"stats64"`
	}
	if err := json.Unmarshal([]byte(tool(t, "ip", "-s", "-json", "link")), &links); err != nil {
		t.Fatal(err)
	}
	told := map[string]string{}
	for _, l := range links {
		in, out := l.Stats.Rx, l.Stats.Tx
		told["net "+l.Name] = fmt.Sprintf("%d %d %d %d %d %d - %d", out.Bytes, in.Bytes, out.Packets, in.Packets, in.Errors, out.Errors, out.Dropped)
	}
	return told
}

func spellLscpu(t *testing.T) map[string]string {
	var table struct {
		CPUs []struct {
			CPU    int
			Core   int
			Socket int
			Online bool
		}
	}
	if err := json.Unmarshal([]byte(tool(t, "lscpu", "-J", "-e=CPU,CORE,SOCKET,ONLINE")), &table); err != nil {
		t.Skipf("lscpu prints other JSON: %v", err)
	}
	cpus, cores := 0, map[[2]int]bool{}
	for _, c := range table.CPUs {
		if c.Online {
			cpus++
			cores[[2]int{c.Socket, c.Core}] = true
		}
	}
	return map[string]string{"cpus": fmt.Sprint(cpus, len(cores))}
}

// ssStates are the names that ss has for them.
var ssStates = []string{
	"", "ESTAB", "SYN-SENT", "SYN-RECV", "FIN-WAIT-1", "FIN-WAIT-2", "TIME-WAIT", "UNCONN", "CLOSE-WAIT", "LAST-ACK", "LISTEN", "CLOSING",
}

// spellSockets counts lines.
func spellSockets(t *testing.T) map[string]string {
	counts := map[string]int{}
	for line := range strings.Lines(tool(t, "ss", "-H", "-t", "-a", "-n")) {
		state, _, _ := strings.Cut(line, " ")
		counts[state]++
	}
	var all []string
	for _, state := range ssStates[1:] {
		all = append(all, strconv.Itoa(counts[state]))
	}
	return map[string]string{
		"tcp": strings.Join(all, " "),
		"udp": strconv.Itoa(strings.Count(tool(t, "ss", "-H", "-u", "-a", "-n"), "\n")),
	}
}

// spellTables counts the lines of the tables that sock_diag stands for.
func spellTables(t *testing.T) map[string]string {
	var counts [13]int
	for _, file := range [...]string{"/proc/net/tcp", "/proc/net/tcp6"} {
		content, _ := os.ReadFile(file) // there may be no IPv6
		for line := range strings.Lines(string(content)) {
			if state := strings.Fields(line)[3]; state != "st" {
				v, err := strconv.ParseUint(state, 16, 8)
				if err != nil || v >= uint64(len(counts)) {
					t.Fatalf("%q: %v", line, err)
				}
				counts[v]++
			}
		}
	}
	counts[3] += counts[12] // new in SYN_RECV
	return map[string]string{"tcp": strings.Trim(fmt.Sprint(counts[1:12]), "[]")}
}

// spellSysfs reads the same counters of interfaces and disks in files of their own.
func spellSysfs(t *testing.T) map[string]string {
	told := map[string]string{}
	files, _ := filepath.Glob("/sys/class/net/*/statistics")
	for _, folder := range files {
		if _, err := net.InterfaceByName(filepath.Base(filepath.Dir(folder))); err != nil {
			clear(told) // sysfs shows the network namespace that it was mounted in
			break
		}
		var all []string
		for _, file := range [...]string{"tx_bytes", "rx_bytes", "tx_packets", "rx_packets", "rx_errors", "tx_errors", "", "tx_dropped"} {
			content, err := os.ReadFile(filepath.Join(folder, file))
			if err != nil {
				content = []byte("-")
			}
			all = append(all, string(bytes.TrimSpace(content)))
		}
		told["net "+filepath.Base(filepath.Dir(folder))] = strings.Join(all, " ")
	}
	files, _ = filepath.Glob("/sys/block/*/stat")
	for _, file := range files {
		content, err := os.ReadFile(file)
		if v := slowNumbers(slowFields(string(content)), 11); err == nil && len(v) == 11 {
			name := strings.ReplaceAll(filepath.Base(filepath.Dir(file)), "!", "/")
			told["disk "+name] = fmt.Sprint(v[0], v[4], v[2]*512, v[6]*512, v[3], v[7], v[1], v[5], v[9])
		}
	}
	if len(told) == 0 {
		t.Skip("no sysfs on this machine")
	}
	return told
}
