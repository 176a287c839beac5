package windows

import (
	"errors"
	"io/fs"
	"os"
	"strings"

	"github.com/pidometer/pidometer/internal/layout"
	"github.com/pidometer/pidometer/internal/text"
	"github.com/pidometer/pidometer/platform"
)

// readImage reads the path of the program file, which no process can change.
func (r *reader) readImage(v *visit) error {
	k := r.remember(v)
	if k.image == nil {
		path, err := r.image(v)
		if err != nil {
			return err
		}
		k.image = path
	}
	r.sample.SetText(platform.ProcessExecutable, k.image)
	return nil
}

// image asks the process, and for one that may not be opened the kernel, by the PID
// alone. That answer is taken if it is of a program with the name in the table.
func (r *reader) image(v *visit) ([]byte, error) {
	wide, refused := r.askString(v, classImageWin32)
	if !errors.Is(refused, fs.ErrPermission) {
		return text.AppendUTF16([]byte{}, wide), refused
	}
	wide, grown, err := layout.Grow(r.buf, func(buf []byte) (int, error) { return r.kernel.Image(v.key.ID, buf) })
	r.buf = grown
	if err != nil || len(wide) == 0 {
		return nil, refused
	}
	path := r.dosPath(wide)
	name := string(text.AppendUTF16(nil, r.pass.table.name(v.entry)))
	if !strings.EqualFold(path[strings.LastIndexByte(path, '\\')+1:], name) {
		return nil, os.ErrProcessDone
	}
	return []byte(path), nil
}

// askString asks the process that is visited for a string, in UTF-16, lent until the
// next question.
func (r *reader) askString(v *visit, class int32) ([]byte, error) {
	h, err := r.open(v)
	if err != nil {
		return nil, err
	}
	answer, err := r.ask(h, class)
	if err != nil {
		return nil, err
	}
	wide, ok := decodeUnicodeString(answer, r.kernel.Address(r.buf), r.word)
	if !ok {
		return nil, errContent
	}
	return wide, nil
}

// readOwner reads the account that the process runs as.
func (r *reader) readOwner(v *visit) error {
	k := r.remember(v)
	if k.owner == nil {
		h, err := r.open(v)
		if err != nil {
			return err
		}
		owner, err := r.kernel.Owner(h)
		if err != nil {
			return err
		}
		k.owner = []byte(owner)
	}
	r.sample.SetText(platform.ProcessOwner, k.owner)
	return nil
}

// readCommandLine reads the arguments that the process was started with: from the
// kernel, which tells it since Windows 8.1, else from the process's memory.
func (r *reader) readCommandLine(v *visit) error {
	k := r.remember(v)
	if k.arguments == nil {
		wide, err := r.askString(v, classCommandLine)
		if errors.Is(err, errors.ErrUnsupported) {
			wide, err = r.peekString(v, func(l *parametersOffsets) int { return l.commandLine })
		}
		if err != nil {
			return err
		}
		k.arguments = decodeCommandLine(text.AppendUTF16(nil, wide))
	}
	r.sample.SetText(platform.ProcessArguments, k.arguments)
	return nil
}

// readEnvironment reads the environment as it is in the process's memory now.
func (r *reader) readEnvironment(v *visit) error {
	var block []byte
	err := r.peek(v, func(p *parameters) (err error) {
		block, err = p.environment()
		return err
	})
	if err != nil {
		return err
	}
	r.sample.SetText(platform.ProcessEnvironment, r.lend(block))
	return nil
}

// readAffinity counts the CPUs that the process may run on.
func (r *reader) readAffinity(v *visit) error {
	cpus, err := r.cpusOf(v)
	if err != nil {
		return err
	}
	if len(cpus) == 0 {
		return errors.ErrUnsupported
	}
	r.sample.Set(platform.ProcessCPUAllowed, uint64(len(cpus)))
	return nil
}

func (r *reader) basic(v *visit) (basic, error) {
	h, err := r.open(v)
	if err != nil {
		return basic{}, err
	}
	answer, err := r.ask(h, classBasic)
	if err != nil {
		return basic{}, err
	}
	p, ok := decodeBasic(answer, r.word)
	if !ok {
		return basic{}, errContent
	}
	return p, nil
}
