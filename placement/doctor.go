package placement

import (
	"fmt"
	"runtime"

	"procpool/internal/text"
)

// Doctor is everything that decides how workers are placed on this machine. Scripts
// read its JSON, so the names do not change.
type Doctor struct {
	OS     string `json:"os"`
	Arch   string `json:"arch"`
	Kernel string `json:"kernel"` // release; "" if unknown

	Affinity   *CPUSet     `json:"affinity"` // mask; nil if the system has none
	Limits     Limits      `json:"limits"`
	Quotas     []Quota     `json:"quotas"`
	Throttling *Throttling `json:"throttling"` // nil if unknown

	Machine  Summary `json:"machine"` // all CPUs that are online
	Usable   Summary `json:"usable"`  // those of them that the mask allows
	Memory   Memory  `json:"memory"`
	OOMKills *int64  `json:"oom_kills"` // see System.OOMKills; nil if unknown

	Threads []ThreadLimit `json:"threads"` // limits on them

	Variables []Variable `json:"variables"` // of the scheduler, OpenMP and the Go runtime, if they are set
	Warnings  []Warning  `json:"warnings"`

	// The caller fills the next three. Share is the share that --share auto computes here,
	// with the variable that says so, or why none is told to one of several; "" elsewhere.
	// NumericKernel names the code path of numeric
	// tasks. Launcher has the lines that a probe of --launcher printed.
	Share         string   `json:"share,omitempty"`
	NumericKernel string   `json:"numeric_kernel,omitempty"`
	Launcher      []string `json:"launcher,omitempty"`
}

// A Variable is an environment variable.
type Variable struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// A Warning describes a likely problem and what to do about it.
type Warning struct {
	// Kind is for scripts: oversubscribed, quota, throttled, smt, gomaxprocs,
	// gomemlimit, address-space, no-proc, bad-variable or ignored.
	Kind   string `json:"kind"`
	What   string `json:"what"`
	Advice string `json:"advice,omitempty"`
}

// Doctor examines the machine and the limits of this process. procs is the number
// of workers that the user asked for, or 0 for auto.
func (s System) Doctor(procs int) Doctor {
	d := Doctor{
		OS: runtime.GOOS, Arch: runtime.GOARCH,
		Throttling: s.Throttling(),
		Memory:     s.Memory(),
		OOMKills:   s.OOMKills(),
		Threads:    s.ThreadLimits(),
		Variables:  s.variables(),
		Quotas:     []Quota{},
		Warnings:   []Warning{},
	}
	d.Kernel, _ = s.read("/proc/sys/kernel/osrelease")
	if quotas, _ := s.Quotas(); quotas != nil { // the notes are in Limits
		d.Quotas = quotas
	}
	topology := s.Topology()
	usable := topology.all()
	if mask, err := s.Mask(); err == nil {
		d.Affinity, usable = &mask, mask
	}
	d.Machine, d.Usable = topology.Summary(topology.all()), topology.Summary(usable)

	limits, err := s.Limits()
	if err != nil {
		d.warn("bad-variable", err.Error(), "unset it or give it a number")
	}
	for _, note := range limits.Notes {
		d.warn("ignored", note, "")
	}
	if _, err := s.read("/proc/self/limits"); err != nil && d.Affinity != nil { // Linux
		d.warn("no-proc", "/proc cannot be read: quotas, memory and limits are not known", "mount it: mount -t proc proc /proc")
	}
	d.warnNumber(limits, procs)
	if procs > 0 {
		limits = limits.WithFlag(procs)
	}
	d.Limits = limits
	d.warnCPUs()
	d.warnRuntime()
	return d
}

func (d *Doctor) warn(kind, what, advice string) {
	d.Warnings = append(d.Warnings, Warning{kind, what, advice})
}

// warnNumber warns if more workers are wanted than the limits allow.
func (d *Doctor) warnNumber(l Limits, procs int) {
	most := l.Available()
	if procs > most.Procs {
		d.warn("oversubscribed",
			fmt.Sprintf("%d workers wanted, but %s allows %d: they would share CPUs", procs, most.By, most.Procs),
			fmt.Sprintf("use --procs %d or auto, or ask for more CPUs", most.Procs))
	}
	for _, one := range l.All {
		if one.By == ByVariable && one.Procs > most.Procs {
			d.warn("oversubscribed",
				fmt.Sprintf("PROCPOOL_PROCS=%d is more than the %d that %s allows; auto stays at %d", one.Procs, most.Procs, most.By, l.Procs),
				"it can only lower the number; --procs raises it")
		}
	}
}

// warnCPUs warns about quotas and shared cores.
func (d *Doctor) warnCPUs() {
	for _, q := range d.Quotas {
		if q.CPUs < 1 {
			d.warn("quota", fmt.Sprintf("the quota in %s is %.3g of one CPU: even one worker will be throttled", q.Path, q.CPUs),
				"ask for at least one CPU")
		}
	}
	if t := d.Throttling; t != nil && t.Periods > 0 {
		d.warn("throttled", fmt.Sprintf("a CPU quota stopped this cgroup in %d periods, for %.3g s in total (%s)", t.Periods, t.Seconds, t.Path),
			"use fewer workers or ask for a larger quota")
	}
	if u := d.Usable; d.Limits.Procs > u.Cores && u.CPUs > u.Cores {
		d.warn("smt", fmt.Sprintf("%d workers on %d cores: some share a core as SMT siblings", d.Limits.Procs, u.Cores),
			fmt.Sprintf("arithmetic may gain little beyond --procs %d; measure with compare", u.Cores))
	}
}

// warnRuntime warns about settings that the Go runtime reads or suffers from.
func (d *Doctor) warnRuntime() {
	for _, v := range d.Variables {
		switch v.Name {
		case "GOMAXPROCS":
			d.warn("gomaxprocs", "GOMAXPROCS="+v.Value+" is set: it does not decide the number of workers, nor their threads",
				"use --procs and --gomaxprocs, and unset it")
		case "GOMEMLIMIT":
			d.warn("gomemlimit", "GOMEMLIMIT="+v.Value+" is set: it is divided by the number of workers, each has only its part",
				"set it to what all workers together may have")
		}
	}
	if a := d.Memory.AddressSpace; a != nil && *a < MinAddressSpace {
		d.warn("address-space", fmt.Sprintf("RLIMIT_AS is %s: a Go program may fail to start, since it reserves about 1.2 GiB of addresses", text.Bytes(float64(*a))),
			"ulimit -v unlimited; limit memory by a cgroup, ulimit -d or --max-rss")
	}
}

// variables returns the environment variables that matter here and are set.
func (s System) variables() []Variable {
	found := []Variable{}
	for _, name := range []string{
		ByVariable, "GOMAXPROCS", "GOMEMLIMIT", "GOGC", "GODEBUG",
		"OMP_NUM_THREADS", "OMP_PLACES", "OMP_PROC_BIND",
		"SLURM_JOB_ID", "SLURM_STEP_ID", "SLURM_JOB_NUM_NODES", "SLURM_NTASKS", "SLURM_PROCID",
		"SLURM_CPUS_PER_TASK", "SLURM_CPUS_ON_NODE", "SLURM_CPU_BIND",
		"SLURM_MEM_PER_CPU", "SLURM_MEM_PER_NODE", "SLURM_ARRAY_TASK_ID", "SLURM_ARRAY_TASK_COUNT",
		"PBS_JOBID", "PBS_NODEFILE", "PBS_NUM_PPN", "PBS_ARRAY_INDEX", "NCPUS", "PBS_NP",
		"LSB_JOBID", "LSB_DJOB_NUMPROC", "LSB_JOBINDEX",
		"NSLOTS", "SGE_TASK_ID", "JOB_COMPLETION_INDEX",
	} {
		if v := s.getenv(name); v != "" {
			found = append(found, Variable{name, v})
		}
	}
	return found
}
