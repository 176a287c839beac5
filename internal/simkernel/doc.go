// Package simkernel is a made-up machine whose kernel can be any. A [World] is what is
// true of it: processes that are born, execute programs, fork, end and are waited for,
// whose PIDs are used again, disks and interfaces that vanish and return, counters that
// wrap. It moves by a seed, one event at a time. A dialect, one package for each kernel,
// renders it as that kernel answers, byte by byte. [Check] lets a backend read the
// answers and compares what it says with the truth.
//
// A dialect takes no offset from the backend that it is there to try: it has those of
// [Struct], which lays out the members of a C structure by the rules of the C ABI, or of
// recorded bytes, so that wrong cannot agree with wrong.
package simkernel
