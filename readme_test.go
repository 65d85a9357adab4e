package main

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// What README.md shows is what happens: the commands of a block work, and print
// the lines of the block of output behind it. Of commands without such a block,
// which may take their time, only the flags are tried.
func TestReadme(t *testing.T) {
	if _, err := exec.LookPath("sh"); err != nil {
		t.Skip("there is no shell here")
	}
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	tried := 0
	blocks := regexp.MustCompile("(?ms)^```(\\w*)\n(.*?)^```$").FindAllStringSubmatch(string(text), -1)
	for i, block := range blocks {
		if block[1] != "sh" {
			continue
		}
		output, shown := "", i+1 < len(blocks) && blocks[i+1][1] == ""
		for command := range strings.Lines(block[2]) {
			command = strings.TrimSpace(strings.Replace(command, "go run . ", "procpool ", 1))
			if !strings.HasPrefix(command, "procpool ") {
				continue
			}
			if !shown {
				command += " --help"
			}
			out, err := exec.CommandContext(hardLimit(t), "sh", "-c", command).CombinedOutput()
			if err != nil {
				t.Errorf("%s: %v: %s", command, err, out)
			}
			output += string(out)
			tried++
		}
		if !shown || output == "" {
			continue
		}
		for line := range strings.Lines(blocks[i+1][2]) {
			if !asShown(strings.TrimSuffix(line, "\n")).MatchString(output) {
				t.Errorf("after\n%sREADME.md shows\n%sbut what comes is\n%s", block[2], line, output)
			}
		}
	}
	if tried < 5 {
		t.Errorf("only %d commands were found", tried)
	}
}

// asShown matches a line of output, whatever the times in it.
func asShown(line string) *regexp.Regexp {
	pattern := regexp.QuoteMeta(line)
	pattern = regexp.MustCompile(`\d+\\\.\d+ s`).ReplaceAllString(pattern, `\d+\.\d+ s`)
	return regexp.MustCompile("(?m)^" + pattern + "$")
}
