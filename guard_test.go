package main

import (
	"slices"
	"strings"
	"testing"
)

// standardPackages are all of the standard library that is linked into the program,
// but for its internal ones, when it is built with the tag lean. Each is initialised
// at every worker's start and lies in its memory: net/http, say, or html/template
// would cost more than all that is here. urfave/cli needs flag, regexp and
// text/template, and these net/url; exec needs math/big, and crypto/sha256, which brings the
// rest of crypto (together 10 page faults of 340, and no time that shows). When one more is needed, or one less, the test
// prints the new list.
const standardPackages = `
	bufio bytes cmp container/heap context crypto crypto/cipher crypto/fips140 crypto/sha256 crypto/subtle
	embed encoding encoding/base64 encoding/binary encoding/hex encoding/json
	errors flag fmt hash hash/crc64 hash/fnv io io/fs iter log maps math math/big math/bits math/rand math/rand/v2 net/netip net/url
	os os/exec os/signal path path/filepath reflect regexp regexp/syntax runtime runtime/debug slices sort strconv strings
	sync sync/atomic syscall text/tabwriter text/template text/template/parse time unicode unicode/utf16 unicode/utf8 unique unsafe weak`

func TestLinkedStandardPackages(t *testing.T) {
	linked := goList(t, "linux", `{{if .Standard}}{{.ImportPath}}{{end}}`, "-deps", "-tags", lean, ".")
	linked = slices.DeleteFunc(linked, func(path string) bool { return slices.Contains(strings.Split(path, "/"), "internal") })
	slices.Sort(linked)
	allowed := strings.Fields(standardPackages)
	for _, path := range linked {
		if !slices.Contains(allowed, path) {
			t.Errorf("%s is linked into the program, and not in the list", path)
		}
	}
	for _, path := range allowed {
		if !slices.Contains(linked, path) {
			t.Errorf("%s is in the list, and not linked into the program", path)
		}
	}
	if t.Failed() {
		t.Logf("what is linked:\n%s", strings.Join(linked, " "))
	}
}
