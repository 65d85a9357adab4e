//go:build cgo && unix

package main

/*
static void crash(void) { *(volatile int *)0 = 1; }
*/
import "C"

const segfaultSays = "SIGSEGV: segmentation violation"

func segfault() { C.crash() }
