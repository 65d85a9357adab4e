//go:build unix && !linux && !darwin

package newfile

import "errors"

func renameExclusive(from, to string) error { return errors.ErrUnsupported }
