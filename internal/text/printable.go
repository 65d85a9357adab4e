package text

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// OneLine returns s as one line that a terminal shows as it is: line ends become "; ",
// and what cannot be seen is escaped. Messages may quote text of any kind.
func OneLine(s string) string {
	s = strings.ReplaceAll(strings.TrimSpace(s), "\n", "; ")
	return Printable(strings.ReplaceAll(s, "\t", " "))
}

// Printable returns s with escapes in place of everything that a terminal or a reader
// would not see, or would see in another place: control characters but tabs, marks that
// change the direction of text, other characters without a shape, and bytes that are not
// UTF-8. A line that comes from elsewhere can then neither move the cursor over other
// lines nor look like one of them. The escapes are those of Go: \x1b, \u202e.
func Printable(s string) string {
	for i := 0; i < len(s); i++ {
		if c := s[i]; (c < ' ' && c != '\t') || c >= 0x7f {
			return string(AppendPrintable([]byte(s[:i]), s[i:]))
		}
	}
	return s
}

// AppendPrintable appends what [Printable] returns to dst.
func AppendPrintable[T string | []byte](dst []byte, line T) []byte {
	for i := 0; i < len(line); {
		if c := line[i]; c >= ' ' && c < 0x7f || c == '\t' {
			dst = append(dst, c)
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(string(line[i:min(i+utf8.UTFMax, len(line))]))
		switch {
		case r == utf8.RuneError && size <= 1, r < 0x80:
			dst = fmt.Appendf(dst, `\x%02x`, line[i])
		case Hidden(r) && r > 0xffff:
			dst = fmt.Appendf(dst, `\U%08x`, r)
		case Hidden(r):
			dst = fmt.Appendf(dst, `\u%04x`, r)
		default:
			dst = append(dst, line[i:i+size]...)
		}
		i += size
	}
	return dst
}

// Hidden reports whether [Printable] escapes a character. The joiners of Indian and
// Arabic scripts and of emoji are part of words.
func Hidden(r rune) bool {
	const nonJoiner, joiner = 0x200c, 0x200d
	switch {
	case r >= ' ' && r < 0x7f, r == '\t', r == nonJoiner, r == joiner:
		return false
	case r < 0xa0:
		return true
	}
	return unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp)
}
