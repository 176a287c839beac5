package exporter

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"os"
	"path"
	"strconv"
	"strings"
)

// protocol is one of the transports of OTLP, spelled as
// OTEL_EXPORTER_OTLP_PROTOCOL spells it.
type protocol string

const (
	protocolGRPC protocol = "grpc"
	protocolHTTP protocol = "http/protobuf"
)

// payload is what an endpoint takes: OTLP has a service, a path and variables for
// each kind.
type payload uint8

const (
	metricsPayload payload = iota
	eventsPayload
)

// payloads says of each how people call it, what the variables for it alone have in
// their names, and where OTLP/HTTP takes it below a base URL (OTLP specification 1.9,
// "OTLP/HTTP Request").
var payloads = [...]struct{ noun, infix, path string }{
	metricsPayload: {"metrics", "METRICS_", "/v1/metrics"},
	eventsPayload:  {"events", "LOGS_", "/v1/logs"},
}

func (p payload) String() string { return payloads[p].noun }
func (p payload) path() string   { return payloads[p].path }

// base takes the path of any payload off, so that one spelling serves them all.
func base(location string) string {
	for _, p := range payloads {
		location = strings.TrimSuffix(location, p.path)
	}
	return location
}

// security says who decides between TLS and plaintext where no scheme does.
type security uint8

const (
	byAddress security = iota // loopback is plaintext, anything else is TLS
	plaintext
	encrypted
)

// endpoint is where OTLP goes, with nothing left to guess.
type endpoint struct {
	protocol protocol
	tls      bool
	host     string // host:port
	path     string // only OTLP/HTTP has one
	payload  payload
}

// url spells the endpoint so that the SDK's exporters and people read it alike.
func (e endpoint) url() string {
	u := url.URL{Scheme: "http", Host: e.host, Path: e.path}
	if e.tls {
		u.Scheme = "https"
	}
	return u.String()
}

// String is what people call the endpoint. A decorator does not know its.
func (e endpoint) String() string {
	if e.host == "" {
		return "the receiver"
	}
	return e.host
}

// spelling is what someone wrote for an endpoint, and how it is to be read.
type spelling struct {
	text     string
	protocol protocol
	payload  payload
	security security
	whole    bool // the path is used as it is, nothing is added to it
}

// parse reads every common spelling of an endpoint. The Go exporters take
// `127.0.0.1:4317` for no URL at all and `localhost:4317` for one of scheme
// "localhost", and then connect elsewhere (otlpmetricgrpc v1.47.0, 2026-11-22).
func (s spelling) parse() (endpoint, error) {
	e, err := s.read()
	if err != nil {
		return endpoint{}, fmt.Errorf("endpoint %q: %w", masked(s.text), err)
	}
	return e, nil
}

func (s spelling) read() (endpoint, error) {
	scheme, rest := cutScheme(strings.TrimSpace(s.text))
	authority, location := cutPath(rest)
	e := endpoint{protocol: s.protocol, payload: s.payload}
	if err := checkWhole(rest); err != nil {
		return e, err
	}
	host, port, err := cutPort(authority)
	if err != nil {
		return e, err
	}
	if e.protocol, e.tls, err = s.secure(scheme, host); err != nil {
		return e, err
	}
	if port == "" {
		port = defaultPort(e.protocol, scheme)
	}
	e.host = bracketed(host) + ":" + port
	if location, err = url.PathUnescape(location); err != nil {
		return e, fmt.Errorf("path: %w", err)
	}
	e.path, err = s.location(e.protocol, location)
	return e, err
}

// secure decides on protocol and TLS: the scheme if there is one, else the
// environment, else the address.
func (s spelling) secure(scheme, host string) (protocol, bool, error) {
	switch scheme {
	case "http", "https":
		return s.protocol, scheme == "https", nil
	case "grpc", "grpcs":
		return protocolGRPC, scheme == "grpcs", nil
	case "":
		return s.protocol, s.security == encrypted || s.security == byAddress && !loopback(host), nil
	}
	return "", false, fmt.Errorf("scheme %q is unknown; write http://, https://, grpc:// or grpcs://", scheme)
}

// location turns the path of the spelling into the one that is requested.
func (s spelling) location(p protocol, location string) (string, error) {
	switch {
	case p == protocolGRPC && strings.Trim(location, "/") != "":
		return "", fmt.Errorf("gRPC has no path %q; write host:port, or set OTEL_EXPORTER_OTLP_PROTOCOL=%s", location, protocolHTTP)
	case p == protocolGRPC:
		return "", nil
	case s.whole:
		return path.Clean("/" + location), nil
	}
	return path.Join("/", base(strings.TrimRight(location, "/")), s.payload.path()), nil
}

// cutScheme splits off what stands before ://, in lower case.
func cutScheme(s string) (scheme, rest string) {
	if before, after, ok := strings.Cut(s, "://"); ok {
		return strings.ToLower(before), after
	}
	return "", s
}

// cutPath splits off the path, with its slash.
func cutPath(s string) (authority, location string) {
	if i := strings.IndexByte(s, '/'); i >= 0 {
		return s[:i], s[i:]
	}
	return s, ""
}

// checkWhole refuses what an endpoint cannot carry.
func checkWhole(s string) error {
	switch {
	case s == "":
		return errors.New("is empty; write host:port or http://host:port")
	case strings.Contains(s, "@"):
		return errors.New("holds credentials; put them into OTEL_EXPORTER_OTLP_HEADERS")
	case strings.ContainsAny(s, "?#"):
		return errors.New("holds a query or fragment; write only scheme, host, port and path")
	case strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' || r == '"' || r == '\\' }):
		return errors.New("holds a character that no address has; write host:port in plain ASCII")
	}
	return nil
}

// cutPort splits an authority into host, without brackets, and port, which may be
// absent.
func cutPort(authority string) (host, port string, err error) {
	if isIPv6(authority) {
		return authority, "", nil // ::1 without brackets
	}
	host, port = authority, ""
	if i := strings.LastIndexByte(authority, ':'); i > strings.LastIndexByte(authority, ']') {
		host, port = authority[:i], authority[i+1:]
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 || port[0] == '+' {
			return "", "", fmt.Errorf("port %q is not a number from 1 to 65535; write host:port", port)
		}
	}
	host, err = checkHost(host)
	return host, port, err
}

// checkHost takes a name, an IPv4 address or an IPv6 address in brackets.
func checkHost(host string) (string, error) {
	inner, bracket := strings.CutPrefix(host, "[")
	if bracket {
		inner, bracket = strings.CutSuffix(inner, "]")
		inner = strings.Replace(inner, "%25", "%", 1) // a zone, as URLs spell it (RFC 6874)
		if !bracket || !isIPv6(inner) {
			return "", fmt.Errorf("%q is no IPv6 address in brackets; write [::1]:4317", host)
		}
		return inner, nil
	}
	if host == "" {
		return "", errors.New("has no host; write host:port or http://host:port")
	}
	if strings.ContainsFunc(host, func(r rune) bool { return !nameRune(r) }) {
		return "", fmt.Errorf("%q is no host name; write host:port, and an IPv6 address in brackets", host)
	}
	return host, nil
}

func isIPv6(s string) bool {
	ip, err := netip.ParseAddr(s)
	zoned := strings.ContainsFunc(ip.Zone(), func(r rune) bool { return !nameRune(r) })
	return err == nil && !ip.Is4() && !zoned
}

func nameRune(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '.' || r == '_'
}

// defaultPort is the port of OTLP's specification, 4317 and 4318, except under
// https://, where a URL without a port means 443: the hosted receivers are written
// so (and grpc v1.85.0 dials 443 where no port is given).
func defaultPort(p protocol, scheme string) string {
	switch {
	case scheme == "https":
		return "443"
	case p == protocolHTTP:
		return "4318"
	}
	return "4317"
}

func bracketed(host string) string {
	if strings.Contains(host, ":") {
		return "[" + host + "]"
	}
	return host
}

// loopback reports whether a host is this machine by its spelling; no name is
// resolved.
func loopback(host string) bool {
	if ip, err := netip.ParseAddr(host); err == nil {
		return ip.Unmap().IsLoopback()
	}
	return strings.EqualFold(strings.TrimSuffix(host, "."), "localhost")
}

// masked hides what may be a password.
func masked(text string) string {
	if i := strings.LastIndexByte(text, '@'); i >= 0 {
		return "***" + text[i:]
	}
	return text
}

// findEndpoint takes the endpoint of the option, else of the environment, else
// this machine's.
func findEndpoint(what payload, option string) (endpoint, error) {
	p, err := protocolFromEnv(what)
	if err != nil {
		return endpoint{}, err
	}
	s := spelling{text: option, protocol: p, payload: what, security: securityFromEnv(what)}
	if s.text == "" {
		s.text = getenv("OTEL_EXPORTER_OTLP_" + payloads[what].infix + "ENDPOINT")
		s.whole = s.text != ""
	}
	if s.text == "" {
		s.text = getenv("OTEL_EXPORTER_OTLP_ENDPOINT")
	}
	if s.text == "" {
		s.text = "localhost"
	}
	return s.parse()
}

func protocolFromEnv(what payload) (protocol, error) {
	name, text := otlpenv(what, "PROTOCOL")
	switch p := protocol(strings.ToLower(text)); p {
	case "", protocolGRPC:
		return protocolGRPC, nil
	case protocolHTTP:
		return p, nil
	}
	return "", fmt.Errorf("%s=%q is unknown; write %s or %s", name, text, protocolGRPC, protocolHTTP)
}

// securityFromEnv reads the variable that decides where there is no scheme (OTLP
// exporter specification, "Insecure").
func securityFromEnv(what payload) security {
	switch _, text := otlpenv(what, "INSECURE"); {
	case text == "":
		return byAddress
	case strings.EqualFold(text, "true"):
		return plaintext
	}
	return encrypted
}

// otlpenv reads a variable of the OTLP exporters and returns its name too; the one
// for the payload alone wins.
func otlpenv(what payload, suffix string) (name, text string) {
	name = "OTEL_EXPORTER_OTLP_" + payloads[what].infix + suffix
	if text = getenv(name); text == "" {
		name = "OTEL_EXPORTER_OTLP_" + suffix
		text = getenv(name)
	}
	return name, text
}

// getenv reads a variable; an empty one counts as unset (OpenTelemetry
// environment variable specification, "Empty value").
func getenv(name string) string { return strings.TrimSpace(os.Getenv(name)) }
