package command

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/attribute"

	"github.com/pidometer/pidometer/exporter"
	"github.com/pidometer/pidometer/instrumentation"
)

var update = flag.Bool("update", false, "write the tables of docs/configuration.md anew")

const page = "../../../../../docs/configuration.md"

// blocks are the parts of the page that are written from code, by name.
var blocks = map[string]func(*testing.T) string{
	"variables": variablesTable,
	"file":      defaultFile,
	"keys":      keysTable,
	"metrics":   metricsTable,
}

var block = regexp.MustCompile(`(?s)(<!-- begin (\w+), written by go generate -->\n).*?(<!-- end -->)`)

// TestConfigurationPage holds docs/configuration.md to the tables, or writes it.
func TestConfigurationPage(t *testing.T) {
	have, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	want := block.ReplaceAllFunc(have, func(b []byte) []byte {
		parts := block.FindSubmatch(b)
		write := blocks[string(parts[2])]
		if write == nil {
			t.Fatalf("nobody writes the block %s", parts[2])
		}
		seen++
		return []byte(string(parts[1]) + write(t) + string(parts[3]))
	})
	if seen != len(blocks) {
		t.Errorf("%d blocks, want %d", seen, len(blocks))
	}
	if *update {
		if err := os.WriteFile(page, want, 0o644); err != nil {
			t.Fatal(err)
		}
	} else if !bytes.Equal(have, want) {
		t.Errorf("docs/configuration.md is out of date; write it with: go generate ./exporter/cmd/pidometer/...")
	}
}

func variablesTable(*testing.T) string {
	var b strings.Builder
	b.WriteString("| variable | takes | default | decides |\n| --- | --- | --- | --- |\n")
	for _, v := range exporter.Variables() {
		name := "`" + v.Name + "`"
		if v.Signals {
			name += " ²"
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", name, v.Takes, quoted(v.Default), v.Sets)
	}
	return b.String()
}

func quoted(text string) string {
	if text == "" {
		return ""
	}
	return "`" + text + "`"
}

// defaultFile is what pidometer config prints where nobody has configured anything.
func defaultFile(t *testing.T) string {
	for _, pair := range os.Environ() {
		if name, _, _ := strings.Cut(pair, "="); strings.HasPrefix(name, "OTEL_") {
			t.Setenv(name, "")
		}
	}
	var out, log bytes.Buffer
	if end := Main(Env{Out: &out, Err: &log}, []string{"config"}); end.Code != 0 {
		t.Fatalf("status %d: %s", end.Code, &log)
	}
	return "```yaml\n" + strings.ReplaceAll(out.String(), " # default", "") + "```\n"
}

// keysTable lists the keys of our section.
func keysTable(*testing.T) string {
	var b strings.Builder
	b.WriteString("| key | flag | takes | default |\n| --- | --- | --- | --- |\n")
	var f flags
	set := flag.NewFlagSet("", flag.ContinueOnError)
	f.forRun(set)
	keys := ownKeys(set)
	i := 0
	set.VisitAll(func(own *flag.Flag) {
		if i == len(keys) || strings.ReplaceAll(own.Name, "-", "_") != keys[i] {
			return
		}
		i++
		fallback := own.DefValue
		if isList(own.Value) {
			fallback = ""
		}
		_, usage := flag.UnquoteUsage(own)
		if isList(own.Value) {
			usage = "a list: " + usage
		}
		fmt.Fprintf(&b, "| `%s` | `--%s` | %s | %s |\n", strings.ReplaceAll(own.Name, "-", "_"), own.Name, strings.ReplaceAll(usage, "*", "\\*"), quoted(fallback))
	})
	return b.String()
}

func metricsTable(*testing.T) string {
	var b strings.Builder
	b.WriteString("| metric | instrument | unit | attributes | tells |\n| --- | --- | --- | --- | --- |\n")
	row := func(name, kind, unit string, keys []attribute.Key, brief string) {
		var list []string
		for _, k := range keys {
			list = append(list, "`"+string(k)+"`")
		}
		fmt.Fprintf(&b, "| `%s` | %s | `%s` | %s | %s |\n", name, kind, unit, strings.Join(list, ", "), strings.TrimSuffix(brief, "."))
	}
	for _, m := range instrumentation.SelfMetrics() {
		row(m.Name, m.Kind.String(), m.Unit, m.Attributes, m.Brief)
	}
	for _, m := range exporter.SelfMetrics() {
		row(m.Name, m.Kind, m.Unit, m.Attributes, m.Brief)
	}
	return b.String()
}
