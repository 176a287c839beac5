package exporter

// Identity is where the identity of a process stands in what is sent.
type Identity string

const (
	// IdentityPoint leaves process.pid and process.creation.time on every point.
	// Prometheus wants it so: it makes labels of attributes of points alone.
	IdentityPoint Identity = "point"
	// IdentityResource makes a Resource of every process.
	IdentityResource Identity = "resource"
)
