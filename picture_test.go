package main

import (
	"encoding/xml"
	"os/exec"
	"path"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
)

const picture = "docs/data-way.svg"

// docs/architecture.md shows the picture. To those who cannot see it, it says what the
// picture's own description says.
func TestPictureIsShown(t *testing.T) {
	shown := regexp.MustCompile(`!\[([^\]]*)\]\(` + regexp.QuoteMeta(path.Base(picture)) + `\)`).FindStringSubmatch(read(t, "docs/architecture.md"))
	if shown == nil {
		t.Fatal("docs/architecture.md does not show " + picture)
	}
	for _, e := range elements(t) {
		if e.XMLName.Local == "desc" && !slices.Equal(strings.Fields(e.Text), strings.Fields(shown[1])) {
			t.Errorf("the alternative text is\n%s\nand the picture's description\n%s", shown[1], e.Text)
		}
	}
}

// A browser loads nothing for an image and runs nothing in it: what the picture
// needs, it contains.
func TestPictureStandsAlone(t *testing.T) {
	if outside := regexp.MustCompile(`url\(|@import|@font-face|<!ENTITY`).FindString(read(t, picture)); outside != "" {
		t.Errorf("%s in the picture", outside)
	}
	var ids, references []string
	for _, e := range elements(t) {
		if e.XMLName.Space != "http://www.w3.org/2000/svg" {
			t.Errorf("<%s> is not of SVG's namespace", e.XMLName.Local)
		}
		if slices.Contains([]string{"script", "image", "foreignObject"}, e.XMLName.Local) {
			t.Errorf("<%s> in the picture", e.XMLName.Local)
		}
		for _, attr := range e.Attributes {
			switch {
			case attr.Name.Space != "":
				t.Errorf("%s:%s in the picture", attr.Name.Space, attr.Name.Local)
			case attr.Name.Local == "id" && slices.Contains(ids, "#"+attr.Value):
				t.Errorf("several elements have the id %s", attr.Value)
			case attr.Name.Local == "id":
				ids = append(ids, "#"+attr.Value)
			case attr.Name.Local == "href":
				references = append(references, attr.Value)
			}
		}
	}
	for _, reference := range references {
		if !slices.Contains(ids, reference) {
			t.Errorf("the picture refers to %s, which it does not contain", reference)
		}
	}
	if len(references) == 0 {
		t.Error("no reference was found")
	}
}

// The command in the picture cuts the interval at the picture's ticks, its workers
// compute chunks of that, and it prints the value that stands below.
func TestPictureIsTrue(t *testing.T) {
	var command, value string
	var ticks, calls []string
	for _, e := range elements(t) {
		switch {
		case e.attribute("id") == "command":
			command = e.Text
		case e.attribute("id") == "value":
			value = e.Text
		case e.attribute("class") == "tick":
			ticks = append(ticks, e.Text)
		case strings.HasPrefix(e.Text, "pi("):
			calls = append(calls, strings.Trim(e.Text, "pi()"))
		}
	}
	if command == "" || value == "" || len(ticks) < 3 || len(calls) < 2 {
		t.Fatalf("found the command %q, the value %q, the ticks %q and the calls %q", command, value, ticks, calls)
	}
	unbound := strings.Replace(command, "--bind close ", "", 1)
	if runtime.GOOS != "linux" {
		command = unbound // workers are bound on Linux alone
	}
	if out := stdoutOf(t, command); !strings.Contains(out, "PI is approximately "+value+",") {
		t.Errorf("the picture shows %s, but %s prints\n%s", value, command, out)
	}
	var chunks []string
	for i, end := range ticks[1:] {
		chunks = append(chunks, "["+ticks[i]+", "+end+"]")
	}
	cut := strings.Replace(unbound, " run ", " intervals ", 1)
	if out, want := stdoutOf(t, cut), "Intervals:  ["+strings.Join(chunks, ", ")+"]\n"; out != want {
		t.Errorf("the picture shows\n%sbut %s prints\n%s", want, cut, out)
	}
	for _, call := range calls {
		if !slices.Contains(chunks, "["+call+"]") {
			t.Errorf("a worker of the picture computes %s, which is no chunk", call)
		}
	}
}

type element struct {
	XMLName    xml.Name
	Attributes []xml.Attr `xml:",any,attr"`
	Text       string     `xml:",chardata"`
	Inside     []element  `xml:",any"`
}

func (e element) attribute(name string) string {
	for _, attr := range e.Attributes {
		if attr.Name.Local == name {
			return attr.Value
		}
	}
	return ""
}

// elements are the picture's, in the order of the document.
func elements(t *testing.T) []element {
	t.Helper()
	text := read(t, picture)
	var root element
	in := xml.NewDecoder(strings.NewReader(text))
	if err := in.Decode(&root); err != nil {
		t.Fatalf("%s: %v", picture, err)
	}
	if rest := strings.TrimSpace(text[in.InputOffset():]); len(rest) > 0 {
		t.Fatalf("%s goes on after its end: %s", picture, rest)
	}
	all := []element{root}
	for i := 0; i < len(all); i++ {
		all = slices.Insert(all, i+1, all[i].Inside...)
	}
	return all
}

func stdoutOf(t *testing.T, command string) string {
	t.Helper()
	words := strings.Fields(command)
	out, err := exec.CommandContext(hardLimit(t), words[0], words[1:]...).Output()
	if err != nil {
		t.Fatalf("%s: %v", command, err)
	}
	return string(out)
}
