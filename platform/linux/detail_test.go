package linux

import (
	"reflect"
	"strconv"
	"testing"
)

// alike fails if a decoder and its twin differ: in what they take, or in what they
// take it for.
func alike(t *testing.T, got any, ok bool, want any, wantOK bool) {
	t.Helper()
	if ok != wantOK || ok && !reflect.DeepEqual(got, want) {
		t.Fatalf("%+v, %v, want %+v, %v", got, ok, want, wantOK)
	}
}

func slowUint(s string, base, bits int) (uint64, bool) {
	v, err := strconv.ParseUint(s, base, bits)
	if err != nil {
		return 0, false
	}
	return v, true
}

// slowField returns field i of a text, the empty string if there are fewer.
func slowField(s string, i int) string {
	if f := slowFields(s); i < len(f) {
		return f[i]
	}
	return ""
}
