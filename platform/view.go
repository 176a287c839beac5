package platform

// View is where a backend that looks at another root reads one source.
type View struct {
	Source string // as in [Source.Name]
	Path   string // the file or folder that is read; "" for a system call
	// Own says that the kernel tells the calling process of itself or of its own
	// namespaces there, whatever the root.
	Own bool
}

// Viewer is a [Backend] that tells which view each of its sources has. It may be
// asked while no reader is open.
type Viewer interface {
	Backend
	// Views returns one view for each source, in the order of Sources, and last that
	// of the calling process itself, which is never moved.
	Views() []View
}

// Adviser is a [Backend] that knows why it sees less than there is, and what could be
// done about it. It may be asked while no reader is open.
type Adviser interface {
	Backend
	// Advise returns a sentence for each thing that hides processes from the caller,
	// with the remedy, and nothing if there is none.
	Advise() []string
}
