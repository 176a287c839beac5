package sysctl

// CPUSet returns the numbers of the bits that are set: the CPUs of a set as the BSDs write it.
func CPUSet(b []byte) []int {
	cpus := []int{}
	for i := range 8 * len(b) {
		if b[i/8]>>(i%8)&1 != 0 {
			cpus = append(cpus, i)
		}
	}
	return cpus
}
