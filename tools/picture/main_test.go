package main

import (
	"bytes"
	"encoding/xml"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// changing are the lines whose numbers differ from run to run.
var changing = regexp.MustCompile(`^(Time = |procpool: the deadline|hint: )`)

func masked(screen []string) []string {
	out := slices.Clone(screen)
	for i, line := range out {
		if changing.MatchString(line) {
			out[i] = regexp.MustCompile(`[0-9][0-9.]*`).ReplaceAllString(line, "N")
		}
	}
	return out
}

// The picture shows what the commands print today. If it does not: go run ./tools/picture
func TestPictureIsOfToday(t *testing.T) {
	if testing.Short() {
		t.Skip("it computes for some seconds")
	}
	for _, name := range []string{"go", "sh", "python3"} {
		if _, err := exec.LookPath(name); err != nil {
			t.Skipf("there is no %s here", name)
		}
	}
	screen, err := record("../..")
	if err != nil {
		t.Fatal(err)
	}
	drawn, err := os.ReadFile("../../" + path)
	if err != nil {
		t.Fatal(err)
	}
	var picture struct {
		Lines []string `xml:"text"`
	}
	if err := xml.Unmarshal(drawn, &picture); err != nil {
		t.Fatal(err)
	}
	if got, want := masked(screen), masked(picture.Lines); !slices.Equal(got, want) {
		t.Errorf("the picture shows\n%s\nand the commands print\n%s", strings.Join(want, "\n"), strings.Join(got, "\n"))
	}
	if again := draw(picture.Lines); !bytes.Equal(again, drawn) {
		t.Error("the picture is drawn in another way than go run ./tools/picture draws it")
	}
}
