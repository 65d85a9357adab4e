package pool

// A deque is a first-in, first-out queue that reuses its memory. The zero value is empty.
type deque[T any] struct {
	items []T
	head  int // items before it were popped
}

func (d *deque[T]) len() int { return len(d.items) - d.head }

func (d *deque[T]) push(v T) { d.items = append(d.items, v) }

// at returns the i-th item from the front. The pointer is valid until the next push or pop.
func (d *deque[T]) at(i int) *T { return &d.items[d.head+i] }

// pop removes the front item.
func (d *deque[T]) pop() T {
	v := d.items[d.head]
	clear(d.items[d.head : d.head+1])
	d.head++
	switch {
	case d.head == len(d.items):
		d.items, d.head = d.items[:0], 0
	case d.head >= 64 && d.head > len(d.items)/2:
		n := copy(d.items, d.items[d.head:])
		clear(d.items[n:])
		d.items, d.head = d.items[:n], 0
	}
	return v
}
