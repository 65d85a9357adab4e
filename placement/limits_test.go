package placement

import (
	"runtime"
	"strings"
	"testing"
)

func TestLimits(t *testing.T) {
	job := "SLURM_JOB_ID=7"
	for _, c := range []struct {
		name   string
		files  files
		mask   string
		env    []string
		procs  int
		by     string
		others int // limits in All beside the one that decides
	}{
		{"the mask", files{}, "0-7", nil, 8, "affinity", 0},
		{"a mask with holes", files{}, "1,3-4,700", nil, 4, "affinity", 0},
		{"a mask beyond 1,024 CPUs", files{}, "0-1535", nil, 1536, "affinity", 0},
		{"more CPUs than workers are allowed", files{}, "0-8191", nil, 4096, "maximum", 1},
		{"no mask on this system", files{}, "", nil, runtime.NumCPU(), "cpus", 0},
		{"a quota", quota("300000 100000"), "0-7", nil, 3, "cgroup", 1},
		{"a quota is rounded up", quota("300001 100000"), "0-7", nil, 4, "cgroup", 1},
		{"a quota of one and a half", quota("150000 100000"), "0-7", nil, 2, "cgroup", 1},
		{"a quota below one CPU allows one worker", quota("10000 100000"), "0-7", nil, 1, "cgroup", 1},
		{"a quota above the mask", quota("1600000 100000"), "0-7", nil, 8, "affinity", 1},
		{"a quota equal to the mask", quota("800000 100000"), "0-7", nil, 8, "affinity", 1},
		{"an absurdly large quota", quota("9223372036854775807 1"), "0-7", nil, 8, "affinity", 1},
		{"Slurm's CPUs a task", files{}, "0-63", []string{job, "SLURM_CPUS_PER_TASK=4", "SLURM_CPUS_ON_NODE=32"}, 4, "slurm", 1},
		{"Slurm's CPUs on the node", files{}, "0-63", []string{job, "SLURM_CPUS_ON_NODE=32"}, 32, "slurm", 1},
		{"CPUs a task win, also when more", files{}, "0-63", []string{job, "SLURM_CPUS_PER_TASK=40", "SLURM_CPUS_ON_NODE=32"}, 40, "slurm", 1},
		{"Slurm's variables outside a job", files{}, "0-63", []string{"SLURM_CPUS_PER_TASK=4"}, 64, "affinity", 0},
		{"a Slurm job inside a smaller mask", files{}, "0-1", []string{job, "SLURM_CPUS_PER_TASK=4"}, 2, "affinity", 1},
		{"Grid Engine's slots", files{}, "0-7", []string{"NSLOTS=4"}, 4, "gridengine", 1},
		{"PBS's CPUs", files{}, "0-7", []string{"NCPUS=3", "PBS_NP=6"}, 3, "pbs", 1},
		{"Torque's processors", files{}, "0-7", []string{"PBS_NP=6"}, 6, "pbs", 1},
		{"LSF's slots", files{}, "0-7", []string{"LSB_DJOB_NUMPROC=1"}, 1, "lsf", 1},
		{"an engine's slots on several hosts", files{}, "0-7", []string{"LSB_DJOB_NUMPROC=64"}, 8, "affinity", 1},
		{"the user's variable", files{}, "0-7", []string{"PROCPOOL_PROCS= 3 "}, 3, "PROCPOOL_PROCS", 1},
		{"it is decimal", files{}, "0-63", []string{"PROCPOOL_PROCS=010"}, 10, "PROCPOOL_PROCS", 1},
		{"it can only lower", files{}, "0-7", []string{"PROCPOOL_PROCS=64"}, 8, "affinity", 1},
		{"GOMAXPROCS is not considered", files{}, "0-7", []string{"GOMAXPROCS=1"}, 8, "affinity", 0},
		{"all at once", quota("500000 100000"), "0-7", []string{job, "SLURM_CPUS_PER_TASK=4", "PROCPOOL_PROCS=6"}, 4, "slurm", 3},
	} {
		l, err := c.files.system(c.mask, c.env...).Limits()
		if err != nil || l.Procs != c.procs || l.DecidedBy != c.by || len(l.All) != c.others+1 {
			t.Errorf("%s: %+v, %v; want %d by %s and %d others", c.name, l, err, c.procs, c.by, c.others)
		}
	}
}

func TestLimitsOfBadVariables(t *testing.T) {
	for _, text := range []string{"0", "-1", "two", "2.5", "4097", "99999999999999999999", "1e1"} {
		l, err := files{}.system("0-7", "PROCPOOL_PROCS="+text).Limits()
		if err == nil || !strings.Contains(err.Error(), text) || !strings.Contains(err.Error(), "from 1 to 4096") {
			t.Errorf("PROCPOOL_PROCS=%s: error %v", text, err)
		}
		if l.Procs != 8 {
			t.Errorf("PROCPOOL_PROCS=%s: %d beside the error, want the 8 of the mask", text, l.Procs)
		}
	}
	// The user did not set Slurm's variables, so an invalid one is a note and no error.
	l, err := files{}.system("0-7", "SLURM_JOB_ID=7", "SLURM_CPUS_PER_TASK=4(x2)").Limits()
	if err != nil || l.Procs != 8 || len(l.Notes) != 1 || !strings.Contains(l.Notes[0], "4(x2)") {
		t.Errorf("%+v, %v", l, err)
	}
	l, err = files{}.system("0-7", "NSLOTS=undefined", "NCPUS=0").Limits()
	if err != nil || l.Procs != 8 || len(l.Notes) != 2 {
		t.Errorf("%+v, %v", l, err)
	}
}

func TestLimitsWithFlag(t *testing.T) {
	l, err := quota("200000 100000").system("0-7", "PROCPOOL_PROCS=1").Limits()
	if err != nil {
		t.Fatal(err)
	}
	if a := l.Available(); a.Procs != 2 || a.By != "cgroup" {
		t.Errorf("available is %+v, want 2 by cgroup", a)
	}
	if f := l.WithFlag(16); f.Procs != 16 || f.DecidedBy != "flag" || len(f.All) != 3 {
		t.Errorf("with a flag: %+v", f)
	}
	if l.Procs != 1 || l.DecidedBy != "PROCPOOL_PROCS" {
		t.Errorf("WithFlag changed its receiver: %+v", l)
	}
}
