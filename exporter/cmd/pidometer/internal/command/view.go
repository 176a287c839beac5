package command

import (
	"log/slog"
	"strings"

	"github.com/pidometer/pidometer/platform"
	"github.com/pidometer/pidometer/platform/native"
)

// explain tells once, at the start, what is looked at under another root, and what
// hides processes from this program.
func (f *flags) explain(log *slog.Logger) {
	backend, err := native.New(native.Options{Root: f.root})
	if err != nil {
		return // whoever opens it for the passes says why
	}
	defer backend.Close()
	if v, ok := backend.(platform.Viewer); ok && f.root != "" {
		log.Info("pidometer looks at another root, each source at its own name under it but for these", views(f.root, v.Views())...)
	}
	if a, ok := backend.(platform.Adviser); ok && (f.processes == "top" || f.processes == "all") {
		for _, advice := range a.Advise() {
			log.Info(advice)
		}
	}
}

// views lists the sources that are read elsewhere than at their names under a root,
// or that show the namespaces of this program wherever they are read.
func views(root string, all []platform.View) (args []any) {
	args = []any{"root", root}
	root = strings.TrimRight(root, "/")
	for _, v := range all {
		switch {
		case v.Path == "":
			args = append(args, v.Source, "system call")
		case v.Own:
			args = append(args, v.Source, v.Path+" (of this program's own namespace)")
		case v.Path != root+v.Source:
			args = append(args, v.Source, v.Path)
		}
	}
	return args
}
