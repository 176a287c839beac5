package arrows

// arrow says what some packages may import from the rest of this module and from
// other modules. The standard library is free but for what forbidden holds.
//
// A path may end in /* for each package directly below, and in /... for a package
// and all below.
type arrow struct {
	from    string
	ours    []string
	outside []string
}

// goosList is every operating system that this module is built for. The amd64
// files stand for all architectures: none of ours carries another name.
var goosList = []string{"linux", "windows", "darwin", "freebsd", "openbsd", "netbsd", "dragonfly", "illumos", "solaris", "aix"}

// backends are the systems with a package of their own, and the values of GOOS
// that it is for.
var backends = map[string][]string{
	"linux": {"linux"}, "windows": {"windows"}, "darwin": {"darwin"}, "freebsd": {"freebsd"},
	"openbsd": {"openbsd"}, "netbsd": {"netbsd"}, "dragonfly": {"dragonfly"}, "solaris": {"solaris", "illumos"},
}

// public are the packages that a user of this module can import.
var public = []string{"platform/...", "semconv", "instrumentation", "instrumentation/producer", "exporter"}

// table is who may import whom. The first row that fits a package holds.
var table = []arrow{
	// What a kernel tells: no OpenTelemetry, and system calls only at the edge.
	{"platform", nil, nil},
	{"platform/native", []string{"platform", "platform/linux", "platform/windows", "platform/darwin",
		"platform/freebsd", "platform/openbsd", "platform/netbsd", "platform/dragonfly", "platform/solaris"}, nil},
	{"platform/platformtest", []string{"platform"}, nil},
	{"platform/*", []string{"platform", "internal/kin", "internal/kqueue", "internal/layout", "internal/sysctl", "internal/text", "internal/turn"}, []string{"golang.org/x/sys/..."}},
	{"internal/kqueue", []string{"platform", "internal/layout", "internal/sysctl"}, nil},               // how BSDs tell of processes as they live
	{"internal/sysctl", []string{"platform", "internal/kin", "internal/layout", "internal/turn"}, nil}, // what the BSDs share
	{"internal/kin", []string{"platform"}, nil},
	{"internal/text", nil, nil},
	{"internal/turn", nil, nil},
	{"internal/layout", []string{"platform"}, nil},

	// One pass over it, and how the result is spelled: attributes and nothing else.
	{"internal/monotonic", nil, nil},
	{"internal/filter", []string{"platform", "internal/text"}, nil},
	{"internal/oneshot", []string{"platform", "internal/filter", "internal/monotonic", "internal/text"}, nil},
	{"semconv", []string{"platform", "internal/text"}, []string{"go.opentelemetry.io/otel/attribute"}},
	{"internal/series", []string{"platform", "semconv", "internal/filter", "internal/monotonic", "internal/oneshot", "internal/text"},
		[]string{"go.opentelemetry.io/otel/attribute"}},

	// What happens, as log records: the API of logs, and nothing that delivers them.
	{"internal/events", []string{"platform", "semconv", "internal/oneshot", "internal/text"},
		[]string{"go.opentelemetry.io/otel/attribute", "go.opentelemetry.io/otel/log"}},

	// The guest in a service: the OpenTelemetry API, never the SDK.
	{"instrumentation",
		[]string{"platform", "platform/native", "semconv", "internal/events", "internal/oneshot", "internal/series", "internal/text"}, api},
	// A producer is made of the SDK's data, and of its Scope, which is no data yet.
	{"instrumentation/producer", []string{"instrumentation", "semconv", "internal/series"},
		[]string{"go.opentelemetry.io/otel/attribute", "go.opentelemetry.io/otel/sdk/instrumentation", "go.opentelemetry.io/otel/sdk/metric/metricdata"}},

	// The way out knows nothing of what it carries. Events it encodes itself: the
	// SDK's exporters of logs lose their order and cannot repair a resource.
	{"exporter", []string{"internal/text"}, []string{
		"go.opentelemetry.io/otel/...",
		"go.opentelemetry.io/proto/otlp/...",
		"google.golang.org/protobuf/...",
		"github.com/google/uuid",
		"google.golang.org/grpc/...",
		"google.golang.org/genproto/googleapis/rpc/errdetails",
	}},

	// Programs are users: public packages, and what is their own. Only the reader of
	// configuration files brings a parser along, and with it all that otelconf links.
	{"exporter/cmd/pidometer/internal/config", []string{"exporter"}, []string{
		"go.opentelemetry.io/contrib/otelconf",
		"go.opentelemetry.io/otel/attribute",
		"go.yaml.in/yaml/v3",
	}},
	{"exporter/cmd/pidometer/internal/windows", nil, []string{"golang.org/x/sys/windows", "golang.org/x/sys/windows/svc/..."}},
	{"exporter/cmd/pidometer/...", append([]string{"exporter/cmd/pidometer/internal/..."}, public...), []string{
		"go.opentelemetry.io/otel/...",
		"go.opentelemetry.io/proto/otlp/...",
		"google.golang.org/protobuf/...",
	}},
	{"examples/...", public, []string{"go.opentelemetry.io/otel/..."}},

	// For tests only: no row above may name these.
	{"internal/arrows", nil, nil},
	{"internal/wine", nil, nil},
	{"internal/scratch", nil, nil},
	{"internal/fixture", nil, nil},
	{"internal/fixture/transcript", []string{"internal/fixture", "internal/sysctl", "platform/darwin", "platform/netbsd", "platform/solaris", "platform/windows"}, nil},
	{"internal/fixture/record", []string{"internal/fixture", "internal/fixture/transcript", "internal/layout", "internal/simkernel/...", "internal/sysctl",
		"platform", "platform/darwin", "platform/dragonfly", "platform/freebsd", "platform/netbsd", "platform/openbsd", "platform/solaris", "platform/windows"}, nil},
	{"internal/otlptest", nil, []string{
		"go.opentelemetry.io/proto/otlp/...",
		"google.golang.org/grpc/...",
		"google.golang.org/protobuf/...",
	}},
	{"internal/simkernel", []string{"platform", "platform/platformtest", "internal/layout"}, nil},
	{"internal/simkernel/windows", []string{"internal/simkernel", "internal/simkernel/windows/headers", "platform", "platform/windows"}, nil},
	{"internal/simkernel/windows/headers", []string{"internal/simkernel"}, nil},
	{"internal/simkernel/*", []string{"internal/simkernel"}, nil},
}

// api is what package instrumentation may reach outside this module, itself or
// through ours: whoever imports it compiles that and no more.
var api = []string{
	"go.opentelemetry.io/otel",
	"go.opentelemetry.io/otel/attribute",
	"go.opentelemetry.io/otel/log",
	"go.opentelemetry.io/otel/metric",
}

// reachable are the modules that those packages bring along.
var reachable = []string{
	"go.opentelemetry.io/otel", "go.opentelemetry.io/otel/log", "go.opentelemetry.io/otel/metric",
	"go.opentelemetry.io/otel/trace", "go.opentelemetry.io/auto/sdk",
	"github.com/cespare/xxhash/v2", "github.com/go-logr/logr", "github.com/go-logr/stdr",
	"golang.org/x/sys",
}

// forbidden is imported by nobody outside tests: no command is started, there is no
// cgo, and no other library of this kind beneath ours.
var forbidden = []string{"os/exec", "C", "plugin", "github.com/shirou/gopsutil/..."}

// edge is what only files named after one operating system import.
var edge = []string{"golang.org/x/sys/..."}
