// Package command is the command line of pidometer: what it understands, what it
// refuses, and which command does what.
package command

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/pidometer/pidometer/instrumentation"
)

// Env is where a command runs.
type Env struct {
	Out, Err io.Writer
	Terminal bool   // Out is one
	runs     func() // if not nil, called when the sidecar has begun
}

// System returns the environment of this program.
func System() Env {
	info, err := os.Stdout.Stat()
	return Env{Out: os.Stdout, Err: os.Stderr, Terminal: err == nil && info.Mode()&os.ModeCharDevice != 0}
}

// End is how the program is to end.
type End struct {
	Code  int    // the exit status
	Final func() // how to end instead, if not nil: by the signal that asked for it
	lost  error  // why not all was delivered, which Final tells too
}

// The exit statuses. 2 is bad input, as for the go command and the shell.
const (
	ok       = 0
	failed   = 1
	misspelt = 2
)

// command is one row of the table of commands.
type command struct {
	name, does string
	run        func(context.Context, Env, *flags) (End, error)
	takes      func(*flags, *flag.FlagSet) // its flags
}

var commands = []command{
	{"once", "look once, print, and exit", once, (*flags).forOnce},
	{"inspect", "lay one process open, by its PID, or the host, or services of Windows: inspect PID|host|services|service NAME", laidOpen, (*flags).forInspect},
	{"cpus", "show which CPU each busy process is on, over time", cpus, (*flags).forCPUs},
	{"events", "follow what happens: processes that begin and end, kills, services", events, (*flags).forEvents},
	{"run", "the sidecar: export to OTLP until SIGTERM", run, (*flags).forRun},
	{"service", "the sidecar as a service of Windows: service install|uninstall|start|stop|status; install takes the flags of run", manageService, (*flags).forService},
	{"config", "print the effective configuration of run as a file", printConfig, (*flags).forRun},
	{"metrics", "list every metric: unit, kind, status, systems, privileges", metrics, (*flags).forNone},
	{"version", "print the version", version, (*flags).forNone},
}

// usageError is what the user can mend by other input.
type usageError struct{ error }

// Main runs one command line.
func Main(env Env, args []string) End {
	do := dispatch
	if asService(args) {
		do = serve
	}
	end, err := do(context.Background(), env, args)
	switch {
	case err == nil || errors.Is(err, flag.ErrHelp):
		return end
	case errors.As(err, new(usageError)):
		end.Code = misspelt
	default:
		end.Code = failed
	}
	fmt.Fprintf(env.Err, "pidometer: %s\n", oneLine(err))
	return end
}

// dispatch finds the command; none is once.
func dispatch(ctx context.Context, env Env, args []string) (End, error) {
	name, rest := "once", args
	if len(args) > 0 && !strings.HasPrefix(args[0], "-") {
		name, rest = args[0], args[1:]
	}
	if name == "help" || len(args) > 0 && isHelp(args[0]) {
		usage(env.Out)
		return End{}, nil
	}
	for _, c := range commands {
		if c.name == name {
			return start(ctx, env, c, rest)
		}
	}
	return End{}, bad("unknown command %q: there are once, inspect, cpus, events, run, service, config, metrics, version and help", name)
}

func isHelp(arg string) bool { return arg == "-h" || arg == "-help" || arg == "--help" }

// start parses the flags of a command and runs it.
func start(ctx context.Context, env Env, c command, args []string) (End, error) {
	var f flags
	set := flag.NewFlagSet("pidometer "+c.name, flag.ContinueOnError)
	set.SetOutput(io.Discard)
	c.takes(&f, set)
	args = f.subjects(c.name, args)
	err := set.Parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		describe(env.Out, c, set)
		return End{}, err
	case err != nil:
		return End{}, bad("%s: %v; see pidometer %s --help", c.name, err, c.name)
	case set.NArg() > 0:
		return End{}, bad("%s takes no argument %q; see pidometer %s --help", c.name, set.Arg(0), c.name)
	}
	if err := f.configure(set); err != nil {
		return End{}, err
	}
	if err := f.check(); err != nil {
		return End{}, err
	}
	return c.run(ctx, env, &f)
}

// subjects takes what a command is about out of its arguments.
func (f *flags) subjects(command string, args []string) []string {
	switch command {
	case "inspect":
		if f.subject, args = subject(args); f.subject == "service" {
			f.service.named, args = subject(args)
		}
	case "service": // whose flags are those of run, so that its verb comes first
		if len(args) > 0 && !strings.HasPrefix(args[0], "-") {
			f.subject, args = args[0], args[1:]
		}
		f.service.given = args
	}
	return args
}

// subject takes the first argument that is no flag, or is a negative number, out
// of the others: flags may stand before and behind it.
func subject(args []string) (subject string, rest []string) {
	for i, a := range args {
		_, err := strconv.Atoi(a)
		number := err == nil || errors.Is(err, strconv.ErrRange)
		value := i > 0 && takesValue(args[i-1])
		if !value && (number || !strings.HasPrefix(a, "-")) {
			return a, slices.Concat(args[:i], args[i+1:])
		}
	}
	return "", args
}

// takesValue reports whether the argument behind a flag is its value.
func takesValue(flag string) bool {
	name := strings.TrimLeft(flag, "-")
	return name != flag && (name == "format" || name == "root")
}

func usage(w io.Writer) {
	fmt.Fprint(w, "pidometer shows what this host and its processes do.\n\nusage: pidometer [command] [flags]\n\n")
	for _, c := range commands {
		fmt.Fprintf(w, "  %-8s %s\n", c.name, c.does)
	}
	fmt.Fprint(w, "\nWithout a command it does what once does. pidometer COMMAND --help lists the flags.\n")
}

func describe(w io.Writer, c command, set *flag.FlagSet) {
	fmt.Fprintf(w, "pidometer %s: %s\n", c.name, c.does)
	set.SetOutput(w)
	set.PrintDefaults()
}

// bad makes an error that the user can mend by other input.
func bad(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// oneLine is an error as one line of text.
func oneLine(err error) string { return strings.ReplaceAll(err.Error(), "\n", "; ") }

func version(_ context.Context, env Env, _ *flags) (End, error) {
	_, err := fmt.Fprintf(env.Out, "pidometer %s\n", instrumentation.Version)
	return End{}, err
}
