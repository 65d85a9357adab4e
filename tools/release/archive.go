package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"cmp"
	"compress/gzip"
	"io"
	"io/fs"
	"slices"
	"time"
)

// A file is one of an archive.
type file struct {
	name string // with slashes
	mode fs.FileMode
	data []byte
}

// An archiver writes files, in their order, as an archive: all of one date,
// and nobody's. So equal files are equal bytes.
type archiver func(w io.Writer, date time.Time, files []file) error

// pack is the archive of files below one folder.
func pack(write archiver, folder string, date time.Time, files []file) ([]byte, error) {
	files = slices.Clone(files)
	for i := range files {
		files[i].name = folder + "/" + files[i].name
	}
	slices.SortFunc(files, func(a, b file) int { return cmp.Compare(a.name, b.name) })
	var buf bytes.Buffer
	err := write(&buf, date, files)
	return buf.Bytes(), err
}

func writeTar(w io.Writer, date time.Time, files []file) error {
	zw := gzip.NewWriter(w) // without a name and a time, as by gzip -n
	tw := tar.NewWriter(zw)
	for _, f := range files {
		h := &tar.Header{Name: f.name, Mode: int64(f.mode), Size: int64(len(f.data)), ModTime: date, Format: tar.FormatUSTAR}
		if err := tw.WriteHeader(h); err != nil {
			return err
		}
		if _, err := tw.Write(f.data); err != nil {
			return err
		}
	}
	if err := tw.Close(); err != nil {
		return err
	}
	return zw.Close()
}

func writeZip(w io.Writer, date time.Time, files []file) error {
	zw := zip.NewWriter(w)
	for _, f := range files {
		h := &zip.FileHeader{Name: f.name, Method: zip.Deflate, Modified: date.UTC()}
		h.SetMode(f.mode)
		fw, err := zw.CreateHeader(h)
		if err != nil {
			return err
		}
		if _, err := fw.Write(f.data); err != nil {
			return err
		}
	}
	return zw.Close()
}
