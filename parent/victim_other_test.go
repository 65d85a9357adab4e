//go:build !linux

package parent

func beVictim() {}
