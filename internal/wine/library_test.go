package main

import (
	"bytes"
	"debug/pe"
	"encoding/binary"
	"testing"
)

// The library reads as one by another reader of the format, and forwards.
func TestLibrary(t *testing.T) {
	f, err := pe.NewFile(bytes.NewReader(library()))
	if err != nil {
		t.Fatal(err)
	}
	header := f.OptionalHeader.(*pe.OptionalHeader64)
	directory := header.DataDirectory[pe.IMAGE_DIRECTORY_ENTRY_EXPORT]
	section := f.Section(".edata")
	if f.Machine != pe.IMAGE_FILE_MACHINE_AMD64 || section == nil || directory.VirtualAddress != section.VirtualAddress {
		t.Fatalf("machine %x, section %v, exports at %x", f.Machine, section, directory.VirtualAddress)
	}
	data, err := section.Data()
	if err != nil {
		t.Fatal(err)
	}
	text := func(at int) string {
		from := binary.LittleEndian.Uint32(data[at:]) - section.VirtualAddress
		s, _, _ := bytes.Cut(data[from:directory.Size], []byte{0})
		return string(s)
	}
	if text(12) != libraryName || text(tableSize) != forwarded || text(tableSize+4) != exported {
		t.Errorf("%q exports %q as %q", text(12), text(tableSize), text(tableSize+4))
	}
	if address := binary.LittleEndian.Uint32(data[tableSize:]); address < directory.VirtualAddress || address >= directory.VirtualAddress+directory.Size {
		t.Errorf("the forwarder at %x is outside the directory, and so is code", address)
	}
}
