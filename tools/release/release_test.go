package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"debug/buildinfo"
	"debug/elf"
	"encoding/binary"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"time"
)

var (
	some = []file{{"procpool", 0o755, []byte("code")}, {"docs/a.md", 0o644, []byte("text")}, {"LICENSE", 0o644, nil}}
	day  = time.Date(2026, 11, 22, 22, 28, 44, 0, time.UTC)
)

// Neither the order of the files nor the time zone is seen in an archive.
func TestEqualFilesAreEqualBytes(t *testing.T) {
	turned := slices.Clone(some)
	slices.Reverse(turned)
	for name, write := range map[string]archiver{"tar": writeTar, "zip": writeZip} {
		one, err := pack(write, "procpool_v1", day, some)
		if err != nil {
			t.Fatal(err)
		}
		two, err := pack(write, "procpool_v1", day.In(time.FixedZone("", 5400)), turned)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(one, two) {
			t.Errorf("two %s archives of the same files differ", name)
		}
	}
}

// unpacked is a file as it comes out again.
type unpacked struct {
	name string
	mode fs.FileMode
	data string
	date time.Time
}

var want = []unpacked{
	{"procpool_v1/LICENSE", 0o644, "", day},
	{"procpool_v1/docs/a.md", 0o644, "text", day},
	{"procpool_v1/procpool", 0o755, "code", day},
}

func TestTar(t *testing.T) {
	data, err := pack(writeTar, "procpool_v1", day, some)
	if err != nil {
		t.Fatal(err)
	}
	zr, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	if zr.Name != "" || !zr.ModTime.IsZero() {
		t.Errorf("gzip's header has name %q and time %v", zr.Name, zr.ModTime)
	}
	var got []unpacked
	for tr := tar.NewReader(zr); ; {
		h, err := tr.Next()
		if err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		if h.Uid != 0 || h.Gid != 0 || h.Uname != "" || h.Gname != "" {
			t.Errorf("%s is somebody's: %+v", h.Name, h)
		}
		text, err := io.ReadAll(tr)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, unpacked{h.Name, fs.FileMode(h.Mode), string(text), h.ModTime.UTC()})
	}
	if !slices.Equal(got, want) {
		t.Errorf("it holds\n%v, not\n%v", got, want)
	}
}

func TestZip(t *testing.T) {
	data, err := pack(writeZip, "procpool_v1", day, some)
	if err != nil {
		t.Fatal(err)
	}
	zr, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	var got []unpacked
	for _, f := range zr.File {
		text, err := fs.ReadFile(zr, f.Name)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, unpacked{f.Name, f.Mode(), string(text), f.Modified.UTC()})
	}
	if !slices.Equal(got, want) {
		t.Errorf("it holds\n%v, not\n%v", got, want)
	}
}

// Only what a commit determines is a release.
func TestStamp(t *testing.T) {
	for _, c := range []struct {
		name, settings string // settings as key=value
		date           time.Time
		refused        string // a part of the error; "" if it is a release
	}{
		{"commit", "vcs.revision=cdfeb56 vcs.time=2026-11-22T22:28:44Z vcs.modified=false", day, ""},
		{"changed", "vcs.revision=cdfeb56 vcs.time=2026-11-22T22:28:44Z vcs.modified=true", day, "not that of commit cdfeb56"},
		{"no git", "", undated, "no commit"},
	} {
		info := &buildinfo.BuildInfo{Main: debug.Module{Version: "v1.2.3"}}
		for _, setting := range strings.Fields(c.settings) {
			key, value, _ := strings.Cut(setting, "=")
			info.Settings = append(info.Settings, debug.BuildSetting{Key: key, Value: value})
		}
		s, err := newStamp(info)
		if err != nil {
			t.Fatal(err)
		}
		if s.version != "v1.2.3" || !s.date.Equal(c.date) {
			t.Errorf("%s: version %s of %v", c.name, s.version, s.date)
		}
		switch err := s.clean(); {
		case err == nil && c.refused != "":
			t.Errorf("%s: it is taken for a release", c.name)
		case err != nil && (c.refused == "" || !strings.Contains(err.Error(), c.refused)):
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestNoSettingOfGoIsInherited(t *testing.T) {
	got := unset([]string{"PATH=/bin", "GOFLAGS=-tags=purego", "GOAMD64=v3", "CGO_CFLAGS=-O0", "HOME=/home/me"})
	if want := []string{"PATH=/bin", "HOME=/home/me"}; !slices.Equal(got, want) {
		t.Errorf("%q, not %q", got, want)
	}
}

// What needs a loader is no static program.
func TestStatic(t *testing.T) {
	for _, c := range []struct {
		segment elf.ProgType
		static  bool
	}{{elf.PT_LOAD, true}, {elf.PT_INTERP, false}} {
		var b bytes.Buffer
		header := elf.Header64{Type: uint16(elf.ET_EXEC), Machine: uint16(elf.EM_X86_64), Version: uint32(elf.EV_CURRENT), Phoff: 64, Phentsize: 56, Phnum: 1}
		copy(header.Ident[:], elf.ELFMAG+string([]byte{byte(elf.ELFCLASS64), byte(elf.ELFDATA2LSB), byte(elf.EV_CURRENT)}))
		for _, part := range []any{header, elf.Prog64{Type: uint32(c.segment)}} {
			if err := binary.Write(&b, binary.LittleEndian, part); err != nil {
				t.Fatal(err)
			}
		}
		path := filepath.Join(t.TempDir(), "program")
		if err := os.WriteFile(path, b.Bytes(), 0o666); err != nil {
			t.Fatal(err)
		}
		if err := static(path); (err == nil) != c.static || err != nil && !strings.Contains(err.Error(), "not static") {
			t.Errorf("with segment %v: %v", c.segment, err)
		}
	}
}
