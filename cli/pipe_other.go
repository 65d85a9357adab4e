//go:build !unix

package cli

func dieOfPipe() {}
