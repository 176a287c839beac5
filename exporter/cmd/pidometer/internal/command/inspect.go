package command

import (
	"context"
	"errors"
	"flag"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/pidometer/pidometer/exporter/cmd/pidometer/internal/inspect"
	"github.com/pidometer/pidometer/platform"
	"github.com/pidometer/pidometer/platform/native"
)

func (f *flags) forInspect(set *flag.FlagSet) {
	set.StringVar(&f.format, "format", "table", "`FORMAT`: table or json")
	set.BoolVar(&f.environ, "environ", false, "show the environment too, as it was at exec: later changes are not shown")
	set.StringVar(&f.root, "root", "", "`DIR` that holds the proc, sys and etc to look at, such as /host in a container")
}

// listing is a document that people can read too.
type listing interface{ Listing(io.Writer) error }

// laidOpen prints everything about one process, or about the host.
func laidOpen(ctx context.Context, env Env, f *flags) (End, error) {
	if f.format == "otlp" {
		return End{}, bad("inspect has --format table and json")
	}
	pid, err := f.whom()
	if err != nil {
		return End{}, err
	}
	b, err := native.New(native.Options{Root: f.root})
	if err != nil {
		return End{}, startError(err)
	}
	defer b.Close()
	var document listing
	switch f.subject {
	case "host":
		document, err = inspect.GatherHost(ctx, b)
	case "service":
		document, err = inspect.GatherService(ctx, b, f.service.named)
	case "services":
		document, err = inspect.GatherServices(ctx, b)
	default:
		document, err = inspect.Gather(ctx, b, pid, f.environ)
	}
	if err != nil && strings.HasPrefix(f.subject, "service") {
		return End{}, onWindows(noService(err))
	}
	if err != nil {
		return End{}, gone(b, err)
	}
	if f.format == "json" {
		return End{}, inspect.JSON(env.Out, document)
	}
	return End{}, document.Listing(env.Out)
}

// whom returns the PID of the process that is meant, 0 for another subject.
func (f *flags) whom() (pid uint64, err error) {
	switch f.subject {
	case "":
		return 0, bad("inspect takes a PID, host, services, or service and its name")
	case "service":
		if f.service.named == "" {
			return 0, bad("inspect service takes the name of a service")
		}
		return 0, nil
	case "host", "services":
		return 0, nil
	}
	n, err := strconv.ParseInt(f.subject, 10, 64)
	switch {
	case err != nil && !errors.Is(err, strconv.ErrRange): // the nearest number will do
		return 0, bad("%q is no PID: write a number, host, services, or service and its name", f.subject)
	case n <= 0:
		return 0, errors.New("no process has a PID below 1")
	}
	return uint64(n), nil
}

// gone says that a process is not there without the words of the sentinel behind, and
// why it may be there after all.
func gone(b platform.Backend, err error) error {
	if !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	text := strings.TrimSuffix(err.Error(), ": "+os.ErrProcessDone.Error())
	if a, ok := b.(platform.Adviser); ok && strings.HasPrefix(text, "there is no process") {
		text = strings.Join(append([]string{text}, a.Advise()...), "; ")
	}
	return errors.New(text)
}
