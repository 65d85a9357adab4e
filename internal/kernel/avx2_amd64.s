//go:build !purego

#include "go_asm.h"
#include "textflag.h"

// Per lane: 0, 2, 4, 6, what the lanes of a step of strictFours are ahead.
DATA ahead<>+0(SB)/8, $0
DATA ahead<>+8(SB)/8, $2
DATA ahead<>+16(SB)/8, $4
DATA ahead<>+24(SB)/8, $6
GLOBL ahead<>(SB), RODATA|NOPTR, $32

DATA signs<>+0(SB)/8, $4.0
DATA signs<>+8(SB)/8, $-4.0
DATA signs<>+16(SB)/8, $4.0
DATA signs<>+24(SB)/8, $-4.0
GLOBL signs<>(SB), RODATA|NOPTR, $32

DATA eight<>+0(SB)/8, $8
GLOBL eight<>(SB), RODATA|NOPTR, $8

// 2^52 and 2^84 as bits: or an unsigned 32-bit integer x into the low half and
// the float64 is 2^52 + x, or 2^84 + x * 2^32.
DATA two52<>+0(SB)/8, $0x4330000000000000
GLOBL two52<>(SB), RODATA|NOPTR, $8
DATA two84<>+0(SB)/8, $0x4530000000000000
GLOBL two84<>(SB), RODATA|NOPTR, $8
DATA two84and52<>+0(SB)/8, $0x4530000000100000 // 2^84 + 2^52
GLOBL two84and52<>(SB), RODATA|NOPTR, $8

// func strictFours(acc float64, odd, n int64) float64
//
// The chain of additions to X0 is what takes the time. Everything else, the
// quotients of the next steps included, runs beside it.
//
//	X0  acc
//	Y1  the four odd denominators of this step, as int64
//	Y2  those denominators as float64, then the quotients
//	Y8  8 in each lane, the way of a step
//	Y9  4, -4, 4, -4
//	Y10 2^52  Y11 2^84  Y12 2^84 + 2^52
//	CX  steps to go
TEXT ·strictFours(SB), NOSPLIT, $0-32
	VMOVSD       acc+0(FP), X0
	VPBROADCASTQ odd+8(FP), Y1
	VPADDQ       ahead<>(SB), Y1, Y1
	MOVQ         n+16(FP), CX
	VPBROADCASTQ eight<>(SB), Y8
	VMOVUPD      signs<>(SB), Y9
	VPBROADCASTQ two52<>(SB), Y10
	VPBROADCASTQ two84<>(SB), Y11
	VBROADCASTSD two84and52<>(SB), Y12

step:
	// float64(Y1): high = 2^84 + (Y1>>32)*2^32 and low = 2^52 + (Y1 mod 2^32)
	// are exact, so is high - (2^84 + 2^52), and the one rounding is that of
	// the exact integer, also beyond 2^53.
	VPSRLQ   $32, Y1, Y2
	VPOR     Y11, Y2, Y2
	VPBLENDD $0xaa, Y10, Y1, Y3
	VSUBPD   Y12, Y2, Y2
	VADDPD   Y3, Y2, Y2
	VDIVPD   Y2, Y9, Y2

	VEXTRACTF128 $1, Y2, X3
	VUNPCKHPD    X2, X2, X4
	VUNPCKHPD    X3, X3, X5
	VADDSD       X2, X0, X0
	VADDSD       X4, X0, X0
	VADDSD       X3, X0, X0
	VADDSD       X5, X0, X0

	VPADDQ Y8, Y1, Y1
	DECQ   CX
	JNZ    step

	VZEROUPPER
	MOVSD X0, ret+24(FP)
	RET

// Per lane: how far below the end of the block the first group's middle is.
DATA below<>+0(SB)/8, $56.0
DATA below<>+8(SB)/8, $40.0
DATA below<>+16(SB)/8, $24.0
DATA below<>+24(SB)/8, $8.0
GLOBL below<>(SB), RODATA|NOPTR, $32

// What a step goes down, the coefficients of n and d in group, and 32.
DATA coef<>+0(SB)/8, $64.0
DATA coef<>+8(SB)/8, $-23.0
DATA coef<>+16(SB)/8, $331.0
DATA coef<>+24(SB)/8, $1995.0
DATA coef<>+32(SB)/8, $-84.0
DATA coef<>+40(SB)/8, $1974.0
DATA coef<>+48(SB)/8, $-12916.0
DATA coef<>+56(SB)/8, $11025.0
DATA coef<>+64(SB)/8, $32.0
GLOBL coef<>(SB), RODATA|NOPTR, $72

// func blockLanes(end float64) float64
//
// A step is four groups of eight terms, one a lane. The division is what takes
// the time.
//
//	Y0  end in each lane
//	Y1  how far below end the middle z of each lane's group is
//	Y2  the sums s0, s1, s2, s3
//	Y3  z, then t = z*z
//	Y4  n, then n/d
//	Y5  d
//	Y8  64  Y9 to Y11 the coefficients of n  Y12 to Y15 those of d
//	CX  steps to go
TEXT ·blockLanes(SB), NOSPLIT, $0-16
	VBROADCASTSD end+0(FP), Y0
	VMOVUPD      below<>(SB), Y1
	VXORPD       Y2, Y2, Y2
	VBROADCASTSD coef<>+0(SB), Y8
	VBROADCASTSD coef<>+8(SB), Y9
	VBROADCASTSD coef<>+16(SB), Y10
	VBROADCASTSD coef<>+24(SB), Y11
	VBROADCASTSD coef<>+32(SB), Y12
	VBROADCASTSD coef<>+40(SB), Y13
	VBROADCASTSD coef<>+48(SB), Y14
	VBROADCASTSD coef<>+56(SB), Y15
	MOVQ         $(const_PiGrain/32), CX

step:
	VSUBPD      Y1, Y0, Y3
	VADDPD      Y8, Y1, Y1
	VMULPD      Y3, Y3, Y3
	VADDPD      Y9, Y3, Y4
	VFMADD213PD Y10, Y3, Y4 // n = n*t + 331
	VFMADD213PD Y11, Y3, Y4
	VADDPD      Y12, Y3, Y5
	VFMADD213PD Y13, Y3, Y5
	VFMADD213PD Y14, Y3, Y5
	VFMADD213PD Y15, Y3, Y5
	VDIVPD      Y5, Y4, Y4
	VADDPD      Y4, Y2, Y2
	DECQ        CX
	JNZ         step

	VEXTRACTF128 $1, Y2, X3
	VADDPD       X3, X2, X2 // s0+s2, s1+s3
	VUNPCKHPD    X2, X2, X3
	VADDSD       X3, X2, X2
	VMULSD       coef<>+64(SB), X2, X2
	VZEROUPPER
	MOVSD        X2, ret+8(FP)
	RET
