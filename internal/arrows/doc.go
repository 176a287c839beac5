// Package arrows holds the rules of this repository as tests: who may import whom,
// on every operating system; how long a function may be; what must be documented,
// fuzzed and shown by an example. It has no code of its own.
//
// The table of arrows, in table_test.go, is policy. A test that fails because of it
// is mended in the package that fails. If a better arrow is found, the table is
// changed, and the commit says why.
package arrows
