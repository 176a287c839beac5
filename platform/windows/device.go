package windows

import (
	"strings"

	"github.com/pidometer/pidometer/internal/text"
)

// networkDevice is what the kernel begins paths with that programs begin with two
// backslashes (Multiple UNC Provider).
const networkDevice = `\Device\Mup\`

// dosDevices is the folder of the kernel's names in which drives have their letters.
const dosDevices = `\??\`

// dosDrive is a drive and the kernel's name of it.
type dosDrive struct{ letter, device string }

// dosPath turns a path of the kernel in UTF-16, \Device\HarddiskVolume3\Windows, into
// one of programs, C:\Windows. One of a volume without a letter stays as it is. No path
// has a NUL in it; Wine was seen to end one with it.
func (r *reader) dosPath(wide []byte) string {
	path, _, _ := strings.Cut(string(text.AppendUTF16(nil, wide)), "\x00")
	if rest, ok := strings.CutPrefix(path, dosDevices); ok {
		return rest
	}
	if rest, ok := strings.CutPrefix(path, networkDevice); ok {
		return `\\` + rest
	}
	for _, d := range r.dosDrives() {
		if rest, ok := strings.CutPrefix(path, d.device); ok && strings.HasPrefix(rest, `\`) {
			return d.letter + rest
		}
	}
	return path
}

// dosDrives returns the drives that have a letter, asked for once in a pass.
func (r *reader) dosDrives() []dosDrive {
	if r.pass.drives != nil {
		return r.pass.drives
	}
	r.pass.drives = []dosDrive{}
	drives, err := r.kernel.Drives()
	if err != nil {
		return nil // paths stay the kernel's
	}
	for _, d := range drives {
		letter := strings.TrimSuffix(d.Root, `\`)
		if device, err := r.kernel.DosDevice(letter); err == nil && device != "" {
			r.pass.drives = append(r.pass.drives, dosDrive{letter, device})
		}
	}
	return r.pass.drives
}
