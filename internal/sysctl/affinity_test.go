package sysctl

import (
	"reflect"
	"testing"
)

func FuzzCPUSet(f *testing.F) {
	f.Add([]byte{5, 0, 128})
	f.Fuzz(func(t *testing.T, b []byte) {
		want := []int{}
		for i, v := range b {
			for bit := 0; v != 0; bit, v = bit+1, v/2 {
				if v%2 == 1 {
					want = append(want, 8*i+bit)
				}
			}
		}
		if got := CPUSet(b); !reflect.DeepEqual(got, want) {
			t.Errorf("%v, want %v", got, want)
		}
	})
}
