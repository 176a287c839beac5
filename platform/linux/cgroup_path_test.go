package linux

import (
	"regexp"
	"strings"
	"testing"
)

const (
	otherID  = "e2d19f6ae5d18b17c40f5ad1b2b6d4d5a4b9f2c3a1e0f9d8c7b6a5948372615f"
	podSlice = "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod0b2c9f3e_8a1d_4c7e_9f10_2b7c5d6e7f80.slice"
	hashPod  = "5f8d6ba2ff8ae9d3c1c4dc4b2a1e0f9d" // of a static pod
	unitTail = "/system.slice/nginx.service"
)

// groupPaths are paths as the programs make them, and what they say.
var groupPaths = []struct {
	path, container, runtime, pod, unit string
	own                                 bool
}{
	{"/", "", "", "", "", false},
	{"", "", "", "", "", false},

	// Services and sessions of systemd.
	{unitTail, "", "", "", "nginx.service", false},
	{"/init.scope", "", "", "", "init.scope", false},
	{"/system.slice/system-getty.slice/getty@tty1.service", "", "", "", "getty@tty1.service", false},
	{"/system.slice/docker.service", "", "", "", "docker.service", false},
	{"/system.slice/foo.service/worker", "", "", "", "foo.service", false},
	{"/system.slice/dbus.socket", "", "", "", "dbus.socket", false},
	{"/system.slice/_memory.service", "", "", "", "memory.service", false}, // escaped: a controller's name
	{"/user.slice/user-1000.slice/session-2.scope", "", "", "", "session-2.scope", false},
	{"/user.slice/user-1000.slice/user@1000.service/init.scope", "", "", "", "init.scope", false},
	{"/user.slice/user-1000.slice/user@1000.service/app.slice/app-org.gnome.Terminal.slice/vte-spawn-0e2d.scope", "", "", "", "vte-spawn-0e2d.scope", false},
	{`/system.slice/system-systemd\x2dfsck.slice/systemd-fsck@dev-sda1.service`, "", "", "", "systemd-fsck@dev-sda1.service", false},
	{"/system.slice/mnt-data.mount", "", "", "", "mnt-data.mount", false},
	{"/user.slice", "", "", "", "", false},
	{"/openrc/sshd", "", "", "", "", false},
	{"/system.slice/.service", "", "", "", "", false},
	{"/weird name.service", "", "", "", "", false},

	// Docker.
	{"/docker/" + containerID, containerID, "docker", "", "", true},
	{"/docker/" + containerID + "/", containerID, "docker", "", "", true},
	{"/docker/" + containerID + "/init.scope", containerID, "docker", "", "init.scope", false},
	{"/docker/" + containerID + unitTail, containerID, "docker", "", "nginx.service", false}, // systemd inside
	{"/system.slice/docker-" + containerID + ".scope", containerID, "docker", "", "", true},
	{"/user.slice/user-1000.slice/user@1000.service/user.slice/docker-" + containerID + ".scope", containerID, "docker", "", "", true}, // rootless
	{"/parent.slice/docker-" + containerID + ".scope", containerID, "docker", "", "", true},                                            // --cgroup-parent
	{"/actions_job/" + containerID, containerID, "docker", "", "", true},
	{"/docker/" + containerID + "/docker/" + otherID, otherID, "docker", "", "", true}, // docker in docker
	{"/docker/buildkit/wv1gmo9kfr2hm4bgg0ydb06br", "", "", "", "", false},
	{"/docker", "", "", "", "", false},

	// Seen from a namespace of groups outside of which they are.
	{"/../../system.slice/docker-" + containerID + ".scope", containerID, "docker", "", "", true},
	{"/../" + otherID, "", "", "", "", false},

	// Kubernetes: with its own driver, then with systemd's.
	{"/kubepods/burstable/pod" + podID + "/" + containerID, containerID, "", podID, "", true},
	{"/kubepods/pod" + podID + "/" + containerID, containerID, "", podID, "", true},
	{"/kubepods/besteffort/pod" + hashPod + "/" + containerID, containerID, "", hashPod, "", true},
	{"/kubepods/besteffort/pod" + podID, "", "", podID, "", false},
	{"/kubepods/burstable/pod" + podID + "/crio-" + containerID, containerID, "cri-o", podID, "", true},
	{containerGroup, containerID, "containerd", podID, "", true},
	{containerGroup + "/sub", containerID, "containerd", podID, "", false},
	{podSlice + "/docker-" + containerID + ".scope", containerID, "docker", podID, "", true},
	{podSlice + "/crio-" + containerID + ".scope", containerID, "cri-o", podID, "", true},
	{podSlice + "/crio-" + containerID + ".scope/container", containerID, "cri-o", podID, "", false},
	{podSlice + "/crio-conmon-" + containerID + ".scope", "", "", podID, "crio-conmon-" + containerID + ".scope", false},
	{"/kubepods.slice/kubepods-pod0b2c9f3e_8a1d_4c7e_9f10_2b7c5d6e7f80.slice/cri-containerd-" + containerID + ".scope", containerID, "containerd", podID, "", true},
	{"/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-besteffort.slice/kubelet-kubepods-besteffort-pod0b2c9f3e_8a1d_4c7e_9f10_2b7c5d6e7f80.slice/cri-containerd-" + containerID + ".scope",
		containerID, "containerd", podID, "", true}, // kind
	{"/system.slice/containerd.service/kubepods-burstable-pod0b2c9f3e_8a1d_4c7e_9f10_2b7c5d6e7f80.slice:cri-containerd:" + containerID,
		containerID, "containerd", podID, "", true}, // the drivers of kubelet and containerd differ
	{"/k8s.io/" + containerID, containerID, "containerd", "", "", true},
	{"/default/" + containerID, containerID, "containerd", "", "", true},
	{"/system.slice/nerdctl-" + containerID + ".scope", containerID, "containerd", "", "", true},
	{"/docker/" + otherID + "/kubelet" + podSlice + "/cri-containerd-" + containerID + ".scope", containerID, "containerd", podID, "", true},

	// Podman.
	{"/machine.slice/libpod-" + containerID + ".scope", containerID, "podman", "", "", true},
	{"/machine.slice/libpod-" + containerID + ".scope/container", containerID, "podman", "", "", false},
	{"/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-" + containerID + ".scope/container", containerID, "podman", "", "", false},
	{"/machine.slice/libpod-conmon-" + containerID + ".scope", "", "", "", "libpod-conmon-" + containerID + ".scope", false},
	{"/libpod_parent/libpod-" + containerID, containerID, "podman", "", "", true},
	{"/system.slice/web.service/libpod-payload-" + containerID, containerID, "podman", "", "", true}, // a quadlet
	{"/system.slice/web.service/runtime", "", "", "", "web.service", false},
	{"/machine.slice/machine-libpod_pod_" + containerID + ".slice/libpod-" + otherID + ".scope", otherID, "podman", "", "", true},

	// systemd-nspawn, and virtual machines, which are named alike.
	{"/machine.slice/machine-debian.scope", "debian", "systemd-nspawn", "", "", true},
	{`/machine.slice/machine-my\x2dbox.scope/payload/system.slice/ssh.service`, "my-box", "systemd-nspawn", "", "ssh.service", false},
	{"/machine.slice/systemd-nspawn@debian.service/payload/init.scope", "debian", "systemd-nspawn", "", "init.scope", false},
	{"/machine.slice/systemd-nspawn@debian.service/supervisor", "", "", "", "systemd-nspawn@debian.service", false},
	{`/machine.slice/machine-qemu\x2d1\x2dvm.scope`, "", "", "", `machine-qemu\x2d1\x2dvm.scope`, false},
	{`/machine.slice/machine-qemu\x2d1\x2dvm.scope/libvirt/vcpu0`, "", "", "", `machine-qemu\x2d1\x2dvm.scope`, false},
	{`/machine.slice/machine-\x2.scope`, `\x2`, "systemd-nspawn", "", "", true},

	// LXC, LXD, Incus, Proxmox.
	{"/lxc/web", "web", "lxc", "", "", true},
	{"/lxc/100/ns/init.scope", "100", "lxc", "", "init.scope", false},
	{"/lxc/100/ns" + unitTail, "100", "lxc", "", "nginx.service", false},
	{"/lxc.payload.web", "web", "lxc", "", "", true},
	{"/lxc.payload/web/system.slice", "web", "lxc", "", "", false},
	{"/lxc.monitor.web", "", "", "", "", false},
	{"/lxc.monitor/web", "", "", "", "", false},
	{"/lxc.pivot", "", "", "", "", false},
	{"/lxc.payload.web/docker/" + containerID, containerID, "docker", "", "", true},

	// Amazon's.
	{"/ecs/0410eff2-7e59-4111-823e-1e0d98ef7f30/" + containerID, containerID, "", "", "", true},
	{"/ecs/cluster/0410eff27e594111823e1e0d98ef7f30/" + containerID, containerID, "", "", "", true},
	{"/ecs/0410eff27e594111823e1e0d98ef7f30/0410eff27e594111823e1e0d98ef7f30-2495160603", "0410eff27e594111823e1e0d98ef7f30-2495160603", "ecs", "", "", true},
	{"/ecs/0410eff27e594111823e1e0d98ef7f30", "", "", "", "", false},
	{"/ecstasks.slice/ecstasks-0410eff27e594111823e1e0d98ef7f30.slice/docker-" + containerID + ".scope", containerID, "docker", "", "", true},

	// Hexadecimal, and no container.
	{"/vm/" + containerID, "", "", "", "", false},
	{"/firecracker/d2aef258f586215872ef7911fde65397", "", "", "", "", false},
	{"/kata_overhead/" + containerID, "", "", "", "", false},
	{"/" + containerID, "", "", "", "", false},
	{"/docker/" + containerID[1:], "", "", "", "", false},
	{"/docker/" + strings.ToUpper(containerID), "", "", "", "", false},
	{"/system.slice/docker-" + containerID + "0.scope", "", "", "", "docker-" + containerID + "0.scope", false},
	{"/pod" + podID + "/" + containerID, "", "", "", "", false}, // not of Kubernetes
	{"/kubepods/pod" + podID[1:] + "/" + containerID, "", "", "", "", false},
	{"/docker/x/" + containerID, "", "", "", "", false},
}

func TestDecodeCgroupPath(t *testing.T) {
	var m membership // of all, so that nothing is left over from the path before
	for _, x := range groupPaths {
		decodeCgroupPath([]byte(x.path), &m)
		if string(m.container) != x.container || m.runtime != x.runtime || string(m.pod) != x.pod || string(m.unit) != x.unit || m.own != x.own {
			t.Errorf("%s\n\tcontainer %q of %q, pod %q, unit %q, own %v; want %q of %q, pod %q, unit %q, own %v", x.path,
				m.container, m.runtime, m.pod, m.unit, m.own, x.container, x.runtime, x.pod, x.unit, x.own)
		}
	}
}

// The plain twin: one pattern for each habit, on each component with what is above.
var (
	slowScope = regexp.MustCompile(`^(docker|cri-containerd|nerdctl|crio|libpod|libpod-payload)-([0-9a-f]{64})(\.scope)?$`)
	slowColon = regexp.MustCompile(`^.+?\.slice:(docker|cri-containerd|nerdctl|crio|libpod|libpod-payload):([0-9a-f]{64})(\.scope)?$`)
	slowBare  = regexp.MustCompile(`^[0-9a-f]{64}$`)
	slowTask  = regexp.MustCompile(`^[0-9a-f]{32}-[0-9]+$`)
	slowPod   = regexp.MustCompile(`^pod([0-9a-f]{8}[-_][0-9a-f]{4}[-_][0-9a-f]{4}[-_][0-9a-f]{4}[-_][0-9a-f]{12}|[0-9a-f]{32})$`)
	slowUnit  = regexp.MustCompile(`^[0-9a-zA-Z:_.\\@-]+\.(service|scope|socket|mount|swap)$`)
	slowNames = map[string]string{"docker": "docker", "cri-containerd": "containerd", "nerdctl": "containerd", "crio": "cri-o",
		"libpod": "podman", "libpod-payload": "podman", "actions_job": "docker", "default": "containerd", "k8s.io": "containerd"}
)

// slowGroupPath returns container, runtime and pod.
func slowGroupPath(path string) (container, runtime, pod string) {
	parent, kubepods, ecs, nspawn := "", false, false, false
	for c := range strings.SplitSeq(path, "/") {
		if c == "" {
			continue
		}
		kubepods = kubepods || strings.Contains(c, "kubepods")
		wasPod := pod != "" && slowPod.MatchString(slowPodPart(parent))
		if m := slowPod.FindStringSubmatch(slowPodPart(c)); m != nil && kubepods {
			pod = strings.ReplaceAll(m[1], "_", "-")
		}
		was := nspawn
		nspawn = false
		scope := slowScope.FindStringSubmatch(c)
		if colon := slowColon.FindStringSubmatch(c); colon != nil {
			scope = colon
		}
		machine, isMachine := slowMachine(c)
		payload, isPayload := strings.CutPrefix(c, "lxc.payload.")
		switch {
		case scope != nil:
			container, runtime = scope[2], slowNames[scope[1]]
		case parent == "lxc" || parent == "lxc.payload":
			container, runtime = c, "lxc"
		case isPayload && payload != "":
			container, runtime = payload, "lxc"
		case isMachine:
			container, runtime, nspawn = machine, "systemd-nspawn", true
		case ecs && slowTask.MatchString(c):
			container, runtime = c, "ecs"
		case slowBare.MatchString(c) && slowNames[parent] != "" && parent != "cri-containerd" && parent != "nerdctl" && !strings.HasPrefix(parent, "libpod") && parent != "crio":
			container, runtime = c, slowNames[parent]
		case slowBare.MatchString(c) && (wasPod || ecs):
			container, runtime = c, ""
		case was && c == "supervisor":
			container, runtime = "", ""
		}
		ecs = ecs || c == "ecs"
		parent = c
	}
	return container, runtime, pod
}

// slowPodPart cuts a slice down to what follows its last hyphen.
func slowPodPart(c string) string {
	name, _, isSlice := strings.Cut(c, ".slice")
	if !isSlice {
		return c
	}
	return name[strings.LastIndex(name, "-")+1:]
}

func slowMachine(c string) (name string, ok bool) {
	for _, form := range [][2]string{{"systemd-nspawn@", ".service"}, {"machine-", ".scope"}} {
		if strings.HasPrefix(c, form[0]) && strings.HasSuffix(c, form[1]) && len(c) > len(form[0])+len(form[1]) {
			name = c[len(form[0]) : len(c)-len(form[1])]
			break
		}
	}
	if name == "" || regexp.MustCompile(`^(qemu|xen|ch|bhyve|vmware)\\x2d`).MatchString(name) {
		return "", false
	}
	return regexp.MustCompile(`\\x[0-9a-fA-F]{2}`).ReplaceAllStringFunc(name, func(hex string) string {
		const digits = "0123456789abcdef"
		hex = strings.ToLower(hex)
		return string([]byte{byte(strings.IndexByte(digits, hex[2])<<4 | strings.IndexByte(digits, hex[3]))})
	}), true
}

func FuzzDecodeCgroupPath(f *testing.F) {
	for _, x := range groupPaths {
		f.Add([]byte(x.path))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var m membership
		decodeCgroupPath(b, &m)
		container, runtime, pod := slowGroupPath(string(b))
		if string(m.container) != container || m.runtime != runtime || string(m.pod) != pod {
			t.Fatalf("container %q of %q in pod %q, want %q of %q in %q", m.container, m.runtime, m.pod, container, runtime, pod)
		}
		if len(m.unit) > 0 && !slowUnit.Match(m.unit) && !slowUnit.MatchString("_"+string(m.unit)) && string(m.unit) != slowNspawn(string(b)) {
			t.Fatalf("unit %q", m.unit)
		}
		if m.own && m.container == nil {
			t.Fatal("the group of no container")
		}
	})
}

// slowNspawn returns the last component but one.
func slowNspawn(path string) string {
	all := strings.FieldsFunc(path, func(r rune) bool { return r == '/' })
	for i := len(all) - 2; i >= 0; i-- {
		if all[i+1] == "supervisor" {
			return all[i]
		}
	}
	return ""
}
