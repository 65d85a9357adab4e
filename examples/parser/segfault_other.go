//go:build !cgo || !unix

package main

import "sync"

const segfaultSays = "fatal error: sync: unlock of unlocked mutex"

// segfault is, without C, another end of the program that nothing can recover.
func segfault() { new(sync.Mutex).Unlock() }
