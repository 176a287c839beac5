package windows

import (
	"fmt"

	"github.com/pidometer/pidometer/platform"
)

// Keys of the registry, under HKEY_LOCAL_MACHINE.
const (
	keyCryptography = `SOFTWARE\Microsoft\Cryptography`
	keyVersion      = `SOFTWARE\Microsoft\Windows NT\CurrentVersion`
)

// architectures are the numbers of SYSTEM_INFO (winnt.h) in the words of
// OpenTelemetry's host.arch.
var architectures = map[uint16]string{0: "x86", 5: "arm32", 6: "ia64", 9: "amd64", 12: "arm64"}

func (p *hostPass) setText(t platform.Text, s string) {
	if s != "" {
		p.host.sample.SetText(t, []byte(s))
	}
}

// readMachineGUID reads what identifies the installation.
func (p *hostPass) readMachineGUID() error {
	id, err := p.kernel.Registry(keyCryptography, "MachineGuid")
	p.setText(platform.HostID, id)
	return err
}

func (p *hostPass) readHostName() error {
	name, err := p.kernel.HostName()
	p.setText(platform.HostName, name)
	return err
}

func (p *hostPass) readSystem() error {
	p.setText(platform.HostArch, architectures[p.kernel.Machine()])
	p.setText(platform.OSType, "windows")
	return nil
}

// firstWindows11 is the first build of Windows 11, whose registry still says 10.
const firstWindows11 = 22000

// readVersion reads the version, which GetVersion tells only up to what a program's
// manifest knows.
func (p *hostPass) readVersion() error {
	major, minor, build := p.kernel.Version()
	version := fmt.Sprintf("%d.%d.%d", major, minor, build)
	p.setText(platform.OSVersion, version)
	p.setText(platform.OSBuild, fmt.Sprint(build))
	name, err := p.kernel.Registry(keyVersion, "ProductName")
	if err != nil {
		return err
	}
	if const10 := "Windows 10"; build >= firstWindows11 && len(name) >= len(const10) && name[:len(const10)] == const10 {
		name = "Windows 11" + name[len(const10):]
	}
	p.setText(platform.OSName, name)
	p.setText(platform.OSDescription, name+" "+version)
	return nil
}
