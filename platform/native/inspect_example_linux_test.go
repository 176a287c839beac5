package native_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"

	"github.com/pidometer/pidometer/platform"
	"github.com/pidometer/pidometer/platform/native"
)

// What the calling process is and has open.
func Example_inspect() {
	backend, err := native.New(native.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer backend.Close()
	inspector, ok := backend.(platform.Inspector)
	if !ok {
		fmt.Println("this system tells no details")
		return
	}
	process, err := inspector.Inspect(context.Background(), platform.Self)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer process.Close()
	args, err := process.Arguments()
	fmt.Println(slices.Equal(args, os.Args), err)
	files, err := process.OpenFiles()
	switch {
	case errors.Is(err, os.ErrProcessDone):
		fmt.Println("it is gone")
	case errors.Is(err, fs.ErrPermission):
		fmt.Println("it is not ours")
	default:
		fmt.Println(files != nil, err)
	}
	// Output:
	// true <nil>
	// true <nil>
}
