//go:build !purego

package kernel

// implementations returns what can run here, the fastest first.
func implementations() []implementation {
	if hasAVX2() {
		return []implementation{avx2, generic}
	}
	return []implementation{generic}
}

// hasAVX2 reports whether the CPU has AVX2 and FMA, and the operating system saves the
// upper halves of the vector registers. The bits are from the Intel Software
// Developer's Manual, volume 1, chapter 14.
func hasAVX2() bool {
	const (
		fma     = 1 << 12 // leaf 1, ECX
		osxsave = 1 << 27 // leaf 1, ECX
		avx     = 1 << 28 // leaf 1, ECX
		avx2    = 1 << 5  // leaf 7, EBX
		xmmYMM  = 1<<1 | 1<<2
	)
	leaves, _, _ := cpuid(0)
	_, _, c := cpuid(1)
	if leaves < 7 || c&(fma|osxsave|avx) != fma|osxsave|avx || xgetbv()&xmmYMM != xmmYMM {
		return false
	}
	_, b, _ := cpuid(7)
	return b&avx2 != 0
}

// cpuid executes the CPUID instruction with ECX = 0.
//
//go:noescape
func cpuid(leaf uint32) (a, b, c uint32)

// xgetbv returns the low half of XCR0. It needs OSXSAVE.
//
//go:noescape
func xgetbv() uint32
