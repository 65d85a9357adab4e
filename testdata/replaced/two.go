//go:build two

package main

const weight = 2
