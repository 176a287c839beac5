#include "textflag.h"

// functions of framework.go are jumps to these, in its order.
#define FUNCTION(jump, name, at) \
TEXT jump<>(SB),NOSPLIT,$0-0; \
	JMP	name(SB); \
DATA	·functions+at(SB)/8, $jump<>(SB)

GLOBL	·functions(SB), RODATA, $128

FUNCTION(jump_mach_host_self, libc_mach_host_self, 0)
FUNCTION(jump_mach_task_self, libc_mach_task_self, 8)
FUNCTION(jump_host_statistics64, libc_host_statistics64, 16)
FUNCTION(jump_host_processor_info, libc_host_processor_info, 24)
FUNCTION(jump_vm_deallocate, libc_vm_deallocate, 32)
FUNCTION(jump_IOServiceMatching, libc_IOServiceMatching, 40)
FUNCTION(jump_IOServiceNameMatching, libc_IOServiceNameMatching, 48)
FUNCTION(jump_IOServiceGetMatchingServices, libc_IOServiceGetMatchingServices, 56)
FUNCTION(jump_IOIteratorNext, libc_IOIteratorNext, 64)
FUNCTION(jump_IOObjectRelease, libc_IOObjectRelease, 72)
FUNCTION(jump_IORegistryEntrySearchCFProperty, libc_IORegistryEntrySearchCFProperty, 80)
FUNCTION(jump_CFStringCreateWithCString, libc_CFStringCreateWithCString, 88)
FUNCTION(jump_CFPropertyListCreateData, libc_CFPropertyListCreateData, 96)
FUNCTION(jump_CFDataGetLength, libc_CFDataGetLength, 104)
FUNCTION(jump_CFDataGetBytes, libc_CFDataGetBytes, 112)
FUNCTION(jump_CFRelease, libc_CFRelease, 120)
