package command

import (
	"flag"
	"path/filepath"
	"slices"
	"testing"
)

// The flags of run pass on to the service as they were written, and a file in full.
func TestPassedOn(t *testing.T) {
	folder, err := filepath.Abs("a b")
	if err != nil {
		t.Fatal(err)
	}
	var f flags
	set := flag.NewFlagSet("", flag.ContinueOnError)
	f.forService(set)
	for _, test := range []struct{ given, want []string }{
		{nil, nil},
		{[]string{"--name", "x", "--otlp", "http://h:1", "--start=manual", "-per-cpu"}, []string{"--otlp", "http://h:1", "-per-cpu"}},
		{[]string{"-name=x", "--service", "--always", `a "b\`, "--interval=1s"}, []string{"--always", `a "b\`, "--interval=1s"}},
		{[]string{"--config", "a b"}, []string{"--config", folder}},
		{[]string{"-config=" + folder, "--filter", "name=start"}, []string{"--config", folder, "--filter", "name=start"}},
		{[]string{"--start", "--name", "--raw"}, []string{"--raw"}},
		{[]string{"--always", "name", "--always", "--start", "--raw=false"}, []string{"--always", "name", "--always", "--start", "--raw=false"}},
	} {
		if got, err := passedOn(set, test.given); err != nil || !slices.Equal(got, test.want) {
			t.Errorf("%q: %q, %v; want %q", test.given, got, err, test.want)
		}
	}
}

func TestAsService(t *testing.T) {
	for _, test := range []struct {
		args []string
		want bool
	}{
		{[]string{"run", "--service"}, true},
		{[]string{"run", "--raw", "-service=true"}, true},
		{[]string{"run", "--service=0"}, false},
		{[]string{"run", "service"}, false},
		{[]string{"service", "--service"}, false},
		{nil, false},
	} {
		if got := asService(test.args); got != test.want {
			t.Errorf("%q: %v", test.args, got)
		}
	}
}
