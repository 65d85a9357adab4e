// Package kernel sums the Leibniz series for pi, 4/1 - 4/3 + 4/5 - ..., as fast as the
// CPU divides and adds. It uses assembly on amd64 with AVX2. Elsewhere, and with the
// build tag purego, it uses Go code that gives the same bits.
//
// Term i is (-1)^i * 4/(2i+1), for 0 <= i < 2^62. There are two orders:
//
//   - [Pi] uses that of the tutorial: one addition after the other. Its bits depend on
//     where the series is cut. The latency of additions limits its speed.
//   - [PiFast] uses one of its own: it sums blocks of [PiGrain] terms, and adds the
//     blocks without rounding in an [Accumulator]. Its bits depend on the interval
//     only. The throughput of divisions, one for eight terms, limits its speed. It
//     needs fused multiply-add. On CPUs without it (amd64 before 2013, 386, wasm) Go
//     emulates it: to the same bits, but at about 10 ns a term, slower than Pi.
//
// # Errors
//
// The following errors are those of a sum of n terms from index 0, compared with the
// exact sum of these terms (which differs from pi by about 1/n). The unit is
// u = 2^-53 = 1.1e-16. Near pi, neighbouring float64 values differ by 4u.
//
//   - Pi: at most 3nu. Rounding a sum below 4 costs at most 2u, and rounding a quotient
//     below 2 costs u. The first quotient and sum are exact. Errors have either sign,
//     so in practice the error is about sqrt(n) * u.
//   - PiFast: at most 40u for every n. The first block is within 15u, since it adds
//     small terms before large ones. Any other block is within 525u of its own size
//     (12 roundings in a group of eight terms, 511 additions in a lane, two between
//     lanes), but all these blocks together are 6.1e-5, so their error is 0.04u. A
//     shorter block at an end is within 3u, or 36u if it is the whole sum. Rounding
//     the result to a float64 adds 2u. The largest error in the tests is 4.2u, over
//     some 700 values of n up to 2e8.
//
// For intervals that start elsewhere the bounds are smaller, as the terms are.
package kernel
