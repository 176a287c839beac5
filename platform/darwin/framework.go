package darwin

import (
	"fmt"
	"runtime"
	"unsafe"
)

// function is one of a library that is called.
type function int

// The functions of libSystem (mach/mach_host.h, mach/vm_map.h), IOKit (IOKitLib.h) and
// CoreFoundation. Most of what they return has to be released.
const (
	machHostSelf function = iota
	machTaskSelf
	hostStatistics
	hostProcessorInfo
	vmDeallocate
	serviceMatching
	serviceNameMatching
	serviceGetMatching
	iteratorNext
	objectRelease
	searchProperty
	stringCreate
	plistCreateData
	dataLength
	dataBytes
	release
	numFunctions
)

// Arguments of them.
const (
	mainPort      = 0 // kIOMainPortDefault
	encodingUTF8  = 0x0800_0100
	recursively   = 1   // kIORegistryIterateRecursively: at a service, or below it
	binaryPlist   = 200 // kCFPropertyListBinaryFormat_v1_0
	registryPlane = "IOService"
)

// registry walks over the services that a dictionary is for, which a function makes of a class
// or a name.
func (k *calls) registry(dictionary function, of string, keys []string) (services [][][]byte, err error) {
	var pins runtime.Pinner
	defer pins.Unpin()
	iterator := new(uint32)
	pins.Pin(iterator)
	// The dictionary is taken over by the call that it is for.
	matching := k.Function(dictionary, [6]uintptr{pinned(&pins, of)})
	r := k.Function(serviceGetMatching, [6]uintptr{mainPort, matching, uintptr(unsafe.Pointer(iterator))})
	if err := mach(r); err != nil {
		return nil, fmt.Errorf("services of %s: %w", of, err)
	}
	defer k.Function(objectRelease, [6]uintptr{uintptr(*iterator)})
	for {
		service := uintptr(uint32(k.Function(iteratorNext, [6]uintptr{uintptr(*iterator)})))
		if service == 0 {
			return services, nil
		}
		var values [][]byte
		for _, key := range keys {
			values = append(values, k.property(service, key))
		}
		services = append(services, values)
		k.Function(objectRelease, [6]uintptr{service})
	}
}

// property is a property of a service, or of what is below it, as a binary property list.
func (k *calls) property(service uintptr, key string) []byte {
	var pins runtime.Pinner
	defer pins.Unpin()
	name := k.Function(stringCreate, [6]uintptr{0, pinned(&pins, key), encodingUTF8})
	if name == 0 {
		return nil
	}
	defer k.Function(release, [6]uintptr{name})
	value := k.Function(searchProperty, [6]uintptr{service, pinned(&pins, registryPlane), name, 0, recursively})
	if value == 0 {
		return nil
	}
	defer k.Function(release, [6]uintptr{value})
	data := k.Function(plistCreateData, [6]uintptr{0, value, binaryPlist})
	if data == 0 {
		return nil
	}
	defer k.Function(release, [6]uintptr{data})
	n := k.Function(dataLength, [6]uintptr{data})
	if n == 0 || n > mostBytes {
		return nil
	}
	b := make([]byte, n)
	pins.Pin(&b[0])
	k.Function(dataBytes, [6]uintptr{data, 0, n, uintptr(unsafe.Pointer(&b[0]))}) // a CFRange takes two words
	return b
}

// mostBytes is more than any property has that is asked for.
const mostBytes = 1 << 20

// statistics is host_statistics64(), whose sizes are in words of 32 bits.
func (k *calls) statistics(flavor int32, buf []byte) (n int, err error) {
	var pins runtime.Pinner
	defer pins.Unpin()
	count := new(uint32)
	*count = uint32(len(buf) / 4)
	pins.Pin(count)
	r := k.Function(hostStatistics, [6]uintptr{k.host, uintptr(flavor), pinnedBytes(&pins, buf), uintptr(unsafe.Pointer(count))})
	return int(*count) * 4, mach(r)
}

// processors is host_processor_info(), which maps its answer into this process.
func (k *calls) processors(flavor int32, buf []byte) (n int, err error) {
	var pins runtime.Pinner
	defer pins.Unpin()
	answer := &struct {
		info        unsafe.Pointer
		cpus, count uint32
	}{}
	pins.Pin(answer)
	r := k.Function(hostProcessorInfo, [6]uintptr{k.host, uintptr(flavor), uintptr(unsafe.Pointer(&answer.cpus)),
		uintptr(unsafe.Pointer(&answer.info)), uintptr(unsafe.Pointer(&answer.count))})
	if err := mach(r); err != nil {
		return 0, err
	}
	n = int(answer.count) * 4
	copy(buf, unsafe.Slice((*byte)(answer.info), n))
	k.Function(vmDeallocate, [6]uintptr{k.Function(machTaskSelf, [6]uintptr{}), uintptr(answer.info), uintptr(n)})
	return n, nil
}

// mach translates a kern_return_t.
func mach(r uintptr) error {
	if code := int32(r); code != 0 {
		return fmt.Errorf("kern_return_t %#x", uint32(code))
	}
	return nil
}

// pinned is the address of a string that ends in a NUL byte, for as long as it is pinned.
func pinned(pins *runtime.Pinner, s string) uintptr { return pinnedBytes(pins, append([]byte(s), 0)) }

// pinnedBytes is the address of a buffer, 0 of an empty one.
func pinnedBytes(pins *runtime.Pinner, b []byte) uintptr {
	if len(b) == 0 {
		return 0
	}
	pins.Pin(&b[0])
	return uintptr(unsafe.Pointer(&b[0]))
}
