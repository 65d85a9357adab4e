package ipc

import (
	"fmt"
	"reflect"
)

// CheckType returns an error, a *[TypeError], if values of type t cannot be sent:
// because they have a kind that means nothing in another process (channels, functions,
// uintptr), or that msgpack lacks (complex numbers), because a field of a struct would be
// lost (it is not exported, or has the same name as another one), or because a type could
// not be found again (interfaces with methods, maps with pointers or interfaces in their
// keys). It trusts types that encode themselves.
func CheckType(t reflect.Type) error {
	if err := codecOf(t).refusal(t.String(), make(map[*codec]bool)); err != nil {
		err.Type = t
		return err
	}
	return nil
}

// A TypeError is a type of which no value can be sent to another process.
type TypeError struct {
	Type   reflect.Type // of the whole
	Path   string       // to the part that is refused, beginning with the name of Type
	Reason string
}

func (e *TypeError) Error() string { return fmt.Sprintf("%s: %s", e.Path, e.Reason) }

// refusal finds the first part of a type that cannot be sent.
func (c *codec) refusal(path string, seen map[*codec]bool) *TypeError {
	if seen[c] {
		return nil
	}
	seen[c] = true
	if c.reason != "" {
		return &TypeError{Path: path, Reason: c.reason}
	}
	for _, p := range c.parts {
		if err := p.refusal(path+p.label, seen); err != nil {
			return err
		}
	}
	return nil
}
