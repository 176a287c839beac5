package config

import (
	"slices"

	"go.yaml.in/yaml/v3"
)

// section reads our own keys. What they mean is the business of the flags that they
// are called after.
func (f *File) section(root *yaml.Node) error {
	n := root
	for _, name := range sectionPath {
		key, value := lookUp(n, name)
		if key == nil || isNull(value) {
			return nil
		}
		if value.Kind != yaml.MappingNode {
			return f.wrong(value, "%s: not a mapping", name)
		}
		n = value
	}
	for key, value := range f.keys(n) {
		if slices.ContainsFunc(f.Own, func(e Entry) bool { return e.Key == key.Value }) {
			return f.wrong(key, "%q stands here twice", key.Value)
		}
		e, err := f.entry(key, value)
		if err != nil {
			return err
		}
		f.Own = append(f.Own, e)
	}
	return nil
}

// entry reads a scalar or a list of scalars.
func (f *File) entry(key, value *yaml.Node) (Entry, error) {
	e := Entry{Key: key.Value, line: key.Line, List: value.Kind == yaml.SequenceNode}
	items := []*yaml.Node{value}
	switch {
	case isNull(value):
		items = nil
	case e.List:
		items = value.Content
	}
	for _, item := range items {
		item = resolved(item)
		if item.Kind != yaml.ScalarNode || isNull(item) {
			return e, f.wrong(item, "%s: write a value or a list of values", key.Value)
		}
		e.Values = append(e.Values, item.Value)
		e.Lines = append(e.Lines, item.Line)
	}
	return e, nil
}
