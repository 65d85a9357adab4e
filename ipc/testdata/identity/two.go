//go:build two

package main

const constant = 42
