package config

import (
	"fmt"
	"os"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"
)

// reference is ${NAME}, ${env:NAME} or ${NAME:-default}, and what begins like one
// (OpenTelemetry configuration, "Environment variable substitution"). $$ is a dollar.
var reference = regexp.MustCompile(`\$\$|\$\{(?:env:)?([a-zA-Z_][a-zA-Z0-9_]*)(?::-([^\n}]*))?\}|\$\{`)

// substitute puts the values of variables into the scalars of a document. Keys keep
// their text, and no variable can add a key or a list: otelconf.ParseYAML replaces
// in the text of the file and would let it (v0.27.0).
func (f *File) substitute(n *yaml.Node) error {
	if n.Kind == yaml.ScalarNode {
		return f.expand(n)
	}
	for i, child := range n.Content {
		if n.Kind == yaml.MappingNode && i%2 == 0 {
			continue
		}
		if err := f.substitute(child); err != nil {
			return err
		}
	}
	return nil
}

// expand replaces the references in one scalar. What a plain one is, a number or a
// word, is decided by the result.
func (f *File) expand(n *yaml.Node) error {
	if !strings.Contains(n.Value, "$") {
		return nil
	}
	wrong := false
	n.Value = reference.ReplaceAllStringFunc(n.Value, func(found string) string {
		parts := reference.FindStringSubmatch(found)
		switch {
		case found == "$$":
			return "$"
		case parts[1] == "":
			wrong = true
			return found
		}
		if value := os.Getenv(parts[1]); value != "" {
			return value
		}
		return parts[2]
	})
	if wrong {
		return f.wrong(n, "${ begins no reference to a variable; write ${NAME} or ${NAME:-default}, or $$ for a dollar")
	}
	if n.Style == 0 {
		n.Tag = ""
	}
	return nil
}

// escape is text as substitute gives it back.
func escape(text string) string { return strings.ReplaceAll(text, "$", "$$") }

// wrong makes an error that begins with the place of a node.
func (f *File) wrong(n *yaml.Node, format string, args ...any) error {
	return fmt.Errorf("%s: %w", f.at(n.Line), fmt.Errorf(format, args...))
}

func (f *File) at(line int) string { return fmt.Sprintf("%s:%d", f.name, line) }
