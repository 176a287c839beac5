package command

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/pidometer/pidometer/exporter/cmd/pidometer/internal/inspect"
	"github.com/pidometer/pidometer/exporter/cmd/pidometer/internal/windows"
	"github.com/pidometer/pidometer/instrumentation"
	"github.com/pidometer/pidometer/platform/native"
)

// asService reports whether a command line is that of a service. It has to be known
// before the rest is read: what is wrong with that a service tells the event log.
func asService(args []string) bool {
	return len(args) > 0 && args[0] == "run" && slices.ContainsFunc(args[1:], func(arg string) bool {
		name, value, valued := strings.Cut(arg, "=")
		on, _ := strconv.ParseBool(value)
		return (name == "--service" || name == "-service") && (on || !valued)
	})
}

// serve runs a command line as a service of Windows, where stopping the service is what
// SIGTERM is elsewhere.
func serve(_ context.Context, _ Env, args []string) (end End, err error) {
	err = windows.Serve(func(ctx context.Context, log io.Writer, runs func()) (err error) {
		end, err = dispatch(ctx, Env{Out: io.Discard, Err: log, runs: runs}, args)
		if err == nil && end.lost != nil {
			fmt.Fprintf(log, "level=ERROR msg=%q", "not all was delivered: "+oneLine(end.lost))
		}
		return err
	})
	return end, onWindows(err)
}

// onWindows takes what only Windows has, asked for elsewhere, for bad input.
func onWindows(err error) error {
	if errors.Is(err, errors.ErrUnsupported) {
		return usageError{err}
	}
	return err
}

// service is what the flags say of services.
type service struct {
	named string   // by inspect service NAME, or service --name
	start string   // when it starts
	given []string // the arguments behind the verb
}

// starts are the values of --start.
var starts = map[string]windows.Start{"automatic": windows.Automatic, "delayed": windows.Delayed, "manual": windows.Manual}

func (f *flags) forService(set *flag.FlagSet) {
	set.StringVar(&f.service.named, "name", windows.Name, "`NAME` of the service")
	set.StringVar(&f.service.start, "start", "delayed", "`WHEN` an installed service starts: delayed (with the machine, after what is more urgent), automatic (with the machine) or manual")
	f.forRun(set)
}

// verbs are what can be done with the service.
var verbs = map[string]func(context.Context, Env, *flags) error{
	"install": install, "status": serviceStatus,
	"uninstall": func(_ context.Context, env Env, f *flags) error {
		return done(env, f, "is uninstalled", windows.Uninstall(f.service.named))
	},
	"start": func(_ context.Context, env Env, f *flags) error {
		return done(env, f, "is started", windows.StartService(f.service.named))
	},
	"stop": func(_ context.Context, env Env, f *flags) error {
		return done(env, f, "is stopped", windows.Stop(f.service.named))
	},
}

// done says what was done.
func done(env Env, f *flags, what string, err error) error {
	if err == nil {
		_, err = fmt.Fprintf(env.Out, "service %s %s\n", f.service.named, what)
	}
	return err
}

func manageService(ctx context.Context, env Env, f *flags) (End, error) {
	do, ok := verbs[f.subject]
	switch {
	case !ok && f.subject == "":
		return End{}, bad("service takes install, uninstall, start, stop or status")
	case !ok:
		return End{}, bad("service has no %q: there are install, uninstall, start, stop and status", f.subject)
	case f.service.named == "":
		return End{}, bad("--name is empty")
	}
	if err := windows.Supported(); err != nil {
		return End{}, onWindows(err)
	}
	return End{}, do(ctx, env, f)
}

// install registers this program with the flags that were given, after the checks that
// the service itself would fail.
func install(_ context.Context, env Env, f *flags) error {
	start, ok := starts[f.service.start]
	if !ok {
		return bad("--start %q is none of automatic, delayed and manual", f.service.start)
	}
	if err := instrumentation.Check(f.options()...); err != nil {
		return usageError{err}
	}
	arguments, err := passedOn(f.sources.set, f.service.given)
	if err != nil {
		return usageError{err}
	}
	note, err := windows.Install(windows.Setup{Name: f.service.named, Start: start, Arguments: append([]string{"run", "--service"}, arguments...)})
	if note != "" {
		fmt.Fprintln(env.Err, "pidometer:", note)
	}
	return done(env, f, "is installed; service start starts it now", err)
}

// passedOn leaves the flags of service out of those of run, which were understood
// already. A file is named in full: a service runs in another folder.
func passedOn(set *flag.FlagSet, given []string) (arguments []string, err error) {
	for i := 0; i < len(given); i++ {
		name, value, whole := strings.Cut(strings.TrimLeft(given[i], "-"), "=")
		from := i
		if !whole && takesNext(set, name) && i+1 < len(given) {
			i++
			value = given[i]
		}
		switch name {
		case "service", "name", "start":
		case "config":
			if value, err = filepath.Abs(value); err != nil {
				return nil, err
			}
			arguments = append(arguments, "--config", value)
		default:
			arguments = append(arguments, given[from:i+1]...)
		}
	}
	return arguments, nil
}

// takesNext reports whether the value of a flag is the next argument.
func takesNext(set *flag.FlagSet, name string) bool {
	f := set.Lookup(name)
	if f == nil {
		return false
	}
	b, ok := f.Value.(interface{ IsBoolFlag() bool })
	return !ok || !b.IsBoolFlag()
}

// serviceStatus prints what the service manager says, which anybody may ask.
func serviceStatus(ctx context.Context, env Env, f *flags) error {
	b, err := native.New(native.Options{})
	if err != nil {
		return startError(err)
	}
	defer b.Close()
	document, err := inspect.GatherService(ctx, b, f.service.named)
	if err != nil {
		return noService(err)
	}
	return document.Listing(env.Out)
}

// noService says that a service is not there without the words of the sentinel behind.
func noService(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return errors.New(strings.TrimSuffix(err.Error(), ": "+fs.ErrNotExist.Error()))
	}
	return err
}
