package main

import "encoding/binary"

// The library exports one function, which is another library's under its own name
// (a forwarder): no code is needed for that.
const (
	libraryName = "bcryptprimitives.dll"
	exported    = "ProcessPrng"
	forwarded   = "ADVAPI32.SystemFunction036" // RtlGenRandom
)

// Places in the file and in memory (Microsoft's PE format, revision 11).
const (
	headerAt   = 0x40 // of the COFF header
	fileAlign  = 0x200
	pageAlign  = 0x1000
	imageBase  = 0x6f0000000
	tableSize  = 40 // of the export directory
	firstTable = pageAlign + tableSize
)

// image is a file under construction.
type image []byte

func (b image) u16(at int, numbers ...uint16) {
	for i, n := range numbers {
		binary.LittleEndian.PutUint16(b[at+2*i:], n)
	}
}

func (b image) u32(at int, numbers ...uint32) {
	for i, n := range numbers {
		binary.LittleEndian.PutUint32(b[at+4*i:], n)
	}
}

// library returns the file: headers, and one section with the export directory.
func library() []byte {
	b := make(image, 2*fileAlign)
	size := b.exports()
	copy(b, "MZ")
	b.u32(0x3c, headerAt)
	copy(b[headerAt:], "PE\x00\x00")
	coff := headerAt + 4
	b.u16(coff, 0x8664, 1)       // amd64, one section
	b.u16(coff+16, 240, 0x2022)  // size of the optional header; executable, large addresses, library
	b.optional(coff+20, size)    //
	b.section(coff+20+240, size) //
	return b
}

// optional writes the optional header, which is not optional, of PE32+.
func (b image) optional(at int, exports uint32) {
	b.u16(at, 0x20b)
	binary.LittleEndian.PutUint64(b[at+24:], imageBase)
	b.u32(at+32, pageAlign, fileAlign)
	b.u16(at+40, 6, 0)                    // version of the operating system
	b.u16(at+48, 6, 0)                    // and of the subsystem
	b.u32(at+56, 2*pageAlign, fileAlign)  // sizes of the image and of the headers
	b.u16(at+68, 2, 0x160)                // graphical; relocatable, no execution of data
	b.u32(at+108, 16, pageAlign, exports) // directories, of which the first is the exports
}

func (b image) section(at int, size uint32) {
	copy(b[at:], ".edata")
	b.u32(at+8, size, pageAlign, fileAlign, fileAlign)
	b.u32(at+36, 0x40000040) // initialised data, readable
}

// exports writes the export directory: a table of one address, one name and one
// ordinal, and strings. The address of a forwarder leads to a string within it.
func (b image) exports() (size uint32) {
	section := b[fileAlign:]
	names := firstTable + 12
	ours := uint32(names)
	function := ours + uint32(len(libraryName)) + 1
	target := function + uint32(len(exported)) + 1
	section.u32(12, ours, 1, 1, 1, firstTable, firstTable+4, firstTable+8)
	section.u32(tableSize, target, function)
	at := names - pageAlign
	for _, s := range []string{libraryName, exported, forwarded} {
		at += copy(section[at:], s) + 1
	}
	return uint32(at)
}
