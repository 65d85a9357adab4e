package main

import (
	"slices"
	"strings"
	"testing"
)

// standardPackages are all of the standard library that may be linked into the
// program, but for its internal ones, when it is built with the tag lean. Each that
// is linked is initialised at every worker's start and lies in its memory: net/http,
// say, or html/template would cost more than all that is here. urfave/cli needs flag,
// regexp and text/template, and these net/url.
const standardPackages = `
	bufio bytes cmp context embed encoding encoding/base64 encoding/binary encoding/csv encoding/hex encoding/json
	errors flag fmt hash hash/crc64 hash/fnv html io io/fs iter log maps math math/bits math/rand/v2 net/netip net/url
	os os/exec os/signal path path/filepath reflect regexp regexp/syntax runtime runtime/debug slices sort strconv strings
	sync sync/atomic syscall text/tabwriter text/template text/template/parse time unicode unicode/utf16 unicode/utf8 unique unsafe weak`

func TestLinkedStandardPackages(t *testing.T) {
	allowed := strings.Fields(standardPackages)
	for _, path := range goList(t, "linux", `{{if .Standard}}{{.ImportPath}}{{end}}`, "-deps", "-tags", lean, ".") {
		if !slices.Contains(strings.Split(path, "/"), "internal") && !slices.Contains(allowed, path) {
			t.Errorf("package %s is linked into the program", path)
		}
	}
}
