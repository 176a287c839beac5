// Package platform says what a kernel can tell of a host and its processes, in
// raw integers and raw bytes: entities, fields, sources and samples. It knows
// nothing of OpenTelemetry and depends on the standard library alone.
//
// A [Backend] reads one kernel; package native returns that of this machine. A
// caller chooses sources by the fields it wants, begins a pass, and takes the
// samples:
//
//	reader, err := backend.Begin(ctx)
//	defer reader.Close()
//	err = reader.Read(sources, sink)
//
// A backend that is an [Inspector] also lays single processes open, and tells lists
// that are no metric: open files, connections, threads, memory maps, mounts.
//
// Everything that may be missing is told apart: a field that was not read is not
// set in its [Sample], and [Sink.Miss] says why. Errors are those of the standard
// library: [os.ErrProcessDone] for a process that is gone, [io/fs.ErrPermission],
// and [errors.ErrUnsupported].
package platform
