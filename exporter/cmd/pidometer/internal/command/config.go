package command

//go:generate go test . -run ^TestConfigurationPage$ -update

import (
	"context"
	"flag"
	"log/slog"
	"os"
	"slices"
	"strings"

	"go.opentelemetry.io/otel/attribute"

	"github.com/pidometer/pidometer/exporter"
	"github.com/pidometer/pidometer/exporter/cmd/pidometer/internal/config"
	"github.com/pidometer/pidometer/instrumentation"
	"github.com/pidometer/pidometer/instrumentation/producer"
)

// fileVariables name the configuration file where no flag does. The second is how
// the first was called before the schema was stable.
var fileVariables = []string{"OTEL_CONFIG_FILE", "OTEL_EXPERIMENTAL_CONFIG_FILE"}

// elsewhere are the flags of run whose value stands in the file outside of our
// section, or not at all.
var elsewhere = []string{"config", "otlp", "interval"}

// sources is where the values of flags come from.
type sources struct {
	set    *flag.FlagSet
	file   *config.File      // nil for none
	origin map[string]string // by the name of a flag: --NAME or FILE:LINE
}

// configure fills the flags that were not given from the configuration file, if there
// is one, and lays the rest of it over the environment.
func (f *flags) configure(set *flag.FlagSet) error {
	f.sources.set, f.sources.origin = set, map[string]string{}
	set.Visit(func(given *flag.Flag) { f.sources.origin[given.Name] = "--" + given.Name })
	path := f.config
	for _, name := range fileVariables {
		if path == "" {
			path = strings.TrimSpace(os.Getenv(name))
		}
	}
	if path == "" {
		return nil
	}
	file, err := config.Read(path)
	if err != nil {
		return usageError{err}
	}
	f.sources.file = file
	for _, e := range file.Own {
		if err := f.take(set, e); err != nil {
			return err
		}
	}
	overlay(file)
	return nil
}

// take sets the flag that a key of our section is called after, unless it was given.
func (f *flags) take(set *flag.FlagSet, e config.Entry) error {
	name := strings.ReplaceAll(e.Key, "_", "-")
	own := set.Lookup(name)
	at := f.sources.file.At(e, 0)
	switch {
	case own == nil || slices.Contains(elsewhere, name):
		return bad("%s: unknown key %q; there are %s", f.sources.file.At(e, len(e.Values)), e.Key, strings.Join(ownKeys(set), ", "))
	case e.List && !isList(own.Value):
		return bad("%s: %s takes one value, not a list", at, e.Key)
	case f.sources.origin[name] != "":
		return nil
	}
	for i, value := range e.Values {
		err := own.Value.Set(value)
		if err == nil && checks[name] != nil {
			err = checks[name](value)
		}
		if err != nil {
			return bad("%s: %s: %w", f.sources.file.At(e, i), e.Key, err)
		}
		f.sources.origin[name] = at
	}
	return nil
}

// checks are what no flag type refuses, one value at a time.
var checks = map[string]func(string) error{
	"metrics":            func(s string) error { return instrumentation.Check(instrumentation.WithMetrics(s)) },
	"filter":             func(s string) error { return instrumentation.Check(instrumentation.WithFilter(s)) },
	"process-attributes": func(s string) error { return instrumentation.Check(instrumentation.WithProcessAttributes(s)) },
}

// ownKeys are the keys of our section.
func ownKeys(set *flag.FlagSet) (keys []string) {
	set.VisitAll(func(own *flag.Flag) {
		if !slices.Contains(elsewhere, own.Name) {
			keys = append(keys, strings.ReplaceAll(own.Name, "-", "_"))
		}
	})
	return keys
}

// isList reports whether a flag takes several values.
func isList(v flag.Value) bool {
	switch v.(type) {
	case *list, *one:
		return true
	}
	return false
}

// overlay makes the environment say what the file says, and nothing else: with a
// file, variables count only where it refers to them (OpenTelemetry configuration,
// "OTEL_CONFIG_FILE"). Exporters read the environment themselves, so this is the way
// to all of them. What switches experiments of the SDK on stands in no file.
func overlay(file *config.File) {
	for _, pair := range os.Environ() {
		name, _, _ := strings.Cut(pair, "=")
		if strings.HasPrefix(name, "OTEL_") && !strings.HasPrefix(name, "OTEL_GO_X_") {
			os.Unsetenv(name)
		}
	}
	for name, value := range file.Variables {
		os.Setenv(name, value)
	}
}

// placed puts the place in the file before an error about one of its values.
func (f *flags) placed(err error) error {
	if err == nil || f.sources.file == nil {
		return err
	}
	return f.sources.file.Place(err)
}

// named is how an error calls a flag: by the place in the file if it stands there.
func (f *flags) named(name string) string {
	if at := f.sources.origin[name]; at != "" && !strings.HasPrefix(at, "--") {
		return at + ": " + strings.ReplaceAll(name, "-", "_")
	}
	return "--" + name
}

// printConfig prints the effective configuration as a file that says the same.
func printConfig(_ context.Context, env Env, f *flags) (End, error) {
	settings, err := exporter.Settings(f.exporterOptions()...)
	if err != nil {
		return End{}, usageError{f.placed(err)}
	}
	if err := instrumentation.Check(f.options()...); err != nil {
		return End{}, usageError{err}
	}
	e := config.Effective{Settings: f.traced(settings), Resource: f.attributesOfResource(), Own: f.own()}
	e.LogLevel.Value, e.LogLevel.From = f.logLevel()
	if _, err := levelOf(e.LogLevel.Value); err != nil {
		return End{}, err
	}
	return End{}, config.Write(env.Out, e)
}

// traced says of each setting the flag or the place in the file that it comes from.
func (f *flags) traced(settings []exporter.Setting) []exporter.Setting {
	for i := range settings {
		s := &settings[i]
		switch {
		case s.From == "option" && s.Variable == "OTEL_METRIC_EXPORT_INTERVAL":
			s.From = "--interval"
		case s.From == "option":
			s.From = "--otlp"
		case f.sources.file != nil:
			if at, ok := f.sources.file.Origin(s.From); ok {
				s.From = at
			}
		}
	}
	return settings
}

// attributesOfResource are those that somebody wrote: what is found on the host comes
// beneath them.
func (f *flags) attributesOfResource() (all []config.Attribute) {
	if f.sources.file != nil {
		return f.sources.file.Resource
	}
	const list, name = "OTEL_RESOURCE_ATTRIBUTES", "OTEL_SERVICE_NAME"
	attrs, _ := config.Pairs(os.Getenv(list))
	for _, kv := range attrs {
		all = append(all, config.Attribute{KeyValue: kv, From: list})
	}
	if text := strings.TrimSpace(os.Getenv(name)); text != "" {
		all = append(all, config.Attribute{KeyValue: attribute.String("service.name", text), From: name})
	}
	return all
}

// own are the values of our section.
func (f *flags) own() (all []config.Own) {
	f.sources.set.VisitAll(func(own *flag.Flag) {
		if slices.Contains(elsewhere, own.Name) {
			return
		}
		o := config.Own{Key: strings.ReplaceAll(own.Name, "-", "_"), From: "default", List: isList(own.Value)}
		if at := f.sources.origin[own.Name]; at != "" {
			o.From = at
		}
		switch v := own.Value.(type) {
		case *list:
			o.Values = *v
		case *one:
			o.Values = *v
		default:
			o.Values = []string{v.String()}
		}
		all = append(all, o)
	})
	return all
}

// logLevel is how much the log tells, and who says so.
func (f *flags) logLevel() (level, from string) {
	const name = "OTEL_LOG_LEVEL"
	if f.sources.file != nil {
		return f.sources.file.LogLevel.Value, f.sources.file.LogLevel.From
	}
	if text := strings.TrimSpace(os.Getenv(name)); text != "" {
		return strings.ToLower(text), name
	}
	return "info", "default"
}

// levelOf turns a severity of OpenTelemetry into a level of the log.
func levelOf(severity string) (slog.Level, error) {
	name := strings.TrimRight(severity, "234")
	for i, known := range []string{"trace", "debug", "info", "warn", "error", "fatal"} {
		if name == known {
			return slog.LevelDebug + slog.Level(4*(i-1)), nil
		}
	}
	return 0, bad("OTEL_LOG_LEVEL is %q; write trace, debug, info, warn, error or fatal", severity)
}

// logger writes to standard error what the level lets through.
func (f *flags) logger(env Env) (*slog.Logger, error) {
	severity, _ := f.logLevel()
	level, err := levelOf(severity)
	return slog.New(slog.NewTextHandler(env.Err, &slog.HandlerOptions{Level: level})), err
}

// exporterOptions are those that flags decide.
func (f *flags) exporterOptions() []exporter.Option {
	options := []exporter.Option{exporter.WithEndpoint(f.otlp), exporter.WithScopes(instrumentation.ScopeName, producer.ScopeName),
		exporter.WithIdentity(exporter.Identity(f.identity))}
	if f.observe {
		options = append(options, exporter.WithSelfObservation())
	}
	if f.interval > 0 {
		options = append(options, exporter.WithInterval(f.interval))
	}
	return options
}

// describe puts what the file says of the resource over what was found on the host.
func (f *flags) describe(host []attribute.KeyValue) []attribute.KeyValue {
	if f.sources.file != nil {
		for _, a := range f.sources.file.Resource {
			host = append(host, a.KeyValue)
		}
	}
	return host
}
