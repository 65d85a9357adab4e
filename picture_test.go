package main

import (
	"encoding/xml"
	"io"
	"os/exec"
	"strings"
	"testing"
)

// The README's picture is well-formed, refers to nothing outside, and the
// command that it begins with prints the result that it ends with.
func TestPicture(t *testing.T) {
	picture := contents(t, "docs/data-way.svg")
	if !strings.Contains(string(contents(t, "README.md")), "](docs/data-way.svg)") {
		t.Error("README.md does not show it")
	}
	var text strings.Builder
	for dec := xml.NewDecoder(strings.NewReader(string(picture))); ; {
		token, err := dec.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		switch token := token.(type) {
		case xml.CharData:
			text.Write(token)
			text.WriteByte('\n')
		case xml.StartElement:
			for _, a := range token.Attr {
				if a.Name.Local == "href" && !strings.HasPrefix(a.Value, "#") {
					t.Errorf("it refers to %s", a.Value)
				}
			}
		}
	}
	var command string
	for line := range strings.Lines(text.String()) {
		if strings.HasPrefix(line, "procpool run ") {
			command = strings.TrimSpace(line)
		}
	}
	// The picture has a CPU for each worker; the machine of the test may not.
	out, err := exec.CommandContext(hardLimit(t), "sh", "-c", strings.Replace(command, "--bind close ", "", 1)).Output()
	if err != nil {
		t.Fatalf("%s: %v", command, err)
	}
	for word := range strings.FieldsSeq(strings.SplitN(string(out), ",", 2)[0]) {
		if !strings.Contains(text.String(), word) {
			t.Errorf("%s prints %s, which the picture does not show", command, word)
		}
	}
}
