package procfs

import "testing"

func TestInt(t *testing.T) {
	const text = "Name:\tsleep 5\nVmHWMark:\t7 kB\nVmHWM:\t  1234 kB\nEmpty:\n" +
		"se.nr_migrations_cold  :  99\nse.nr_migrations                             :                   25\n" +
		"Max address space         unlimited            unlimited            bytes\nMax stack size\t 8388608  unlimited\nnr_throttled -3"
	for key, want := range map[string]int64{"VmHWM": 1234, "se.nr_migrations": 25, "Max stack size": 8388608, "nr_throttled": -3} {
		if got := Int(text, key); got == nil || *got != want {
			t.Errorf("Int of %q is %v, want %d", key, got, want)
		}
	}
	for _, key := range []string{"Name", "Max address space", "Empty", "Vm", "missing"} {
		if got := Int(text, key); got != nil {
			t.Errorf("Int of %q is %d", key, *got)
		}
	}
}
