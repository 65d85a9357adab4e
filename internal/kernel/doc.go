// Package kernel sums the Leibniz series for pi, 4/1 - 4/3 + 4/5 - ..., as
// fast as the CPU divides and adds: by assembly for amd64 with AVX2, and by a
// portable twin of the same bits elsewhere and with the build tag purego.
//
// Term i is (-1)^i * 4/(2i+1), for 0 <= i < 2^62. There are two orders:
//
//   - [Pi] is the tutorial's: one addition after the other. Its bits depend on
//     where the series is cut. It runs at the latency of the additions.
//   - [PiFast] is this package's: blocks of [PiGrain] terms in an order of
//     their own, and the sums of blocks without rounding in an [Accumulator].
//     Its bits depend on the interval alone. It runs at the throughput of the
//     divisions, one for eight terms. It needs fused multiply-add: on a CPU
//     without (amd64 before 2013, 386, wasm) Go emulates it, to the same bits
//     but at some 10 ns a term, slower than Pi.
//
// # Errors
//
// These are of a sum of n terms from 0, against the exact sum of those terms
// (which itself is about 1/n from pi), in units of u = 2^-53 = 1.1e-16. Near pi
// two neighbouring float64 are 4u apart.
//
//   - Pi: at most 3nu. An addition to a sum below 4 rounds by at most 2u, a
//     quotient below 2 by u; the first quotient and sum are exact. Errors point
//     both ways, so that about sqrt(n) * u is seen.
//   - PiFast: at most 40u, for every n. The first block is within 15u, since
//     it adds small terms before large ones. Any other block is within 525u of
//     its own size (12 roundings in a group of eight terms, 511 additions in a
//     lane, two between lanes), but together these blocks are 6.1e-5, which
//     makes 0.04u. A ragged end is within 3u, or within 36u if it is all there
//     is; rounding the whole to a float64 adds 2u. The tests see 4.2u at most,
//     over some 700 n up to 2e8.
//
// For intervals elsewhere the bounds shrink with the terms.
package kernel
