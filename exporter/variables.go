package exporter

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"
)

// variables is what OTEL_EXPORTER_OTLP_CERTIFICATE, CLIENT_CERTIFICATE, CLIENT_KEY,
// HEADERS, COMPRESSION and TIMEOUT say of one payload (OTLP exporter specification,
// "Configuration Options"). The SDK's exporters go on without what they cannot read;
// here it is an error before anything is sent. No error shows the value of a header.
type variables struct {
	tls     *tls.Config // nil for plaintext
	headers map[string]string
	gzip    bool
	timeout time.Duration // of one request; 0 is none
}

// requestTimeout is that of the specification.
const requestTimeout = 10 * time.Second

func readVariables(e endpoint) (variables, error) {
	var v variables
	var errs [4]error
	if e.tls {
		v.tls, errs[0] = readTLS(e.payload)
	}
	v.headers, errs[1] = readHeaders(e.payload)
	v.gzip, errs[2] = readCompression(e.payload)
	v.timeout, errs[3] = readTimeout(e.payload)
	return v, errors.Join(errs[:]...)
}

// readTLS reads the authority that the receiver's certificate is checked against,
// and a certificate of our own with its key; without them the system's authorities
// are asked, and nothing is shown.
func readTLS(what payload) (*tls.Config, error) {
	c := &tls.Config{}
	if name, file := otlpenv(what, "CERTIFICATE"); file != "" {
		pem, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("%s: %s holds no certificate; write the path of a PEM file", name, file)
		}
	}
	name, file := otlpenv(what, "CLIENT_CERTIFICATE")
	keyName, key := otlpenv(what, "CLIENT_KEY")
	switch {
	case file == "" && key == "":
		return c, nil
	case file == "" || key == "":
		return nil, fmt.Errorf("%s and %s belong together; set both or none", name, keyName)
	}
	pair, err := tls.LoadX509KeyPair(file, key)
	if err != nil {
		return nil, fmt.Errorf("%s and %s: %w", name, keyName, err)
	}
	c.Certificates = []tls.Certificate{pair}
	return c, nil
}

// readHeaders takes apart key=value,key=value, where values are percent-encoded.
func readHeaders(what payload) (map[string]string, error) {
	name, text := otlpenv(what, "HEADERS")
	if text == "" {
		return nil, nil
	}
	headers := make(map[string]string)
	n := 0
	for pair := range strings.SplitSeq(text, ",") {
		if n++; strings.TrimSpace(pair) == "" {
			continue
		}
		key, value, ok := strings.Cut(pair, "=")
		key = strings.TrimSpace(key)
		if !ok || !isToken(key) {
			return nil, fmt.Errorf("%s: entry %d is no header; write key=value,key2=value2", name, n)
		}
		value, err := url.PathUnescape(strings.TrimSpace(value))
		if err != nil || !isPlain(value) {
			return nil, fmt.Errorf("%s: the value of %s is no header value; it must be plain ASCII, percent-encoded", name, key)
		}
		headers[key] = value
	}
	return headers, nil
}

// isToken reports whether s can be the name of a header (RFC 9110, section 5.6.2).
func isToken(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return !nameRune(r) && !strings.ContainsRune("!#$%&'*+^`|~", r)
	})
}

// isPlain reports whether s holds printable ASCII only, as gRPC wants of metadata.
func isPlain(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' })
}

func readCompression(what payload) (bool, error) {
	switch name, text := otlpenv(what, "COMPRESSION"); text {
	case "", "none":
		return false, nil
	case "gzip":
		return true, nil
	default:
		return false, fmt.Errorf("%s=%q is unknown; write gzip or none", name, text)
	}
}

func readTimeout(what payload) (time.Duration, error) {
	name, text := otlpenv(what, "TIMEOUT")
	if text == "" {
		return requestTimeout, nil
	}
	n, err := strconv.ParseInt(text, 10, 32)
	if err != nil || n < 0 {
		return 0, fmt.Errorf("%s=%q is no number of milliseconds; write one such as %d", name, text, requestTimeout.Milliseconds())
	}
	return time.Duration(n) * time.Millisecond, nil
}
