package journal

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// ShareVariable is the environment variable with a share, "K/N", that goes before what an
// engine tells. SharesVariable has the number of shares, for engines that do not tell it.
// See [AutoShare].
const (
	ShareVariable  = "PROCPOOL_SHARE"
	SharesVariable = "PROCPOOL_SHARES"
)

// AutoShare returns the share of a process that an engine started as one of many, and the
// variable that tells it. The first of these that is set decides:
//
//   - PROCPOOL_SHARE is the share itself.
//   - A Slurm array (SLURM_ARRAY_TASK_ID, _COUNT, _MIN, _MAX, _STEP) and a Grid Engine
//     array (SGE_TASK_ID, _FIRST, _LAST, _STEPSIZE) must be a regular range. For
//     `--array=3,7,10-14:2` these variables do not tell which of five tasks this is, nor
//     do they for a task that was submitted again alone, since its count is 1.
//   - Tasks of AWS Batch (AWS_BATCH_JOB_ARRAY_INDEX, _SIZE), Cloud Run
//     (CLOUD_RUN_TASK_INDEX, _COUNT) and GitLab (CI_NODE_INDEX, CI_NODE_TOTAL).
//   - Kubernetes indexed jobs (JOB_COMPLETION_INDEX, from 0), PBS arrays (PBS_ARRAY_INDEX or
//     PBS_ARRAYID, from 1) and LSF arrays (LSB_JOBINDEX, from 1) do not tell the number of
//     shares, so PROCPOOL_SHARES must. Without it LSB_JOBINDEX_END does in LSF.
//   - Ranks of Open MPI (OMPI_COMM_WORLD_RANK, _SIZE), of other programs with PMI (PMI_RANK,
//     PMI_SIZE), and of `srun -n` (SLURM_PROCID, SLURM_STEP_NUM_TASKS).
//
// Ranks in a task of an array each have a part of its share. PROCPOOL_SHARES may be
// missing where the number is known, but must agree with it if it is set: this detects
// some tasks of an array that were submitted again as an array of their own. getenv is
// os.Getenv or that of a test, and returns "" for a variable that is not set.
func AutoShare(getenv func(string) string) (share Share, by string, err error) {
	if text := getenv(ShareVariable); text != "" {
		if share, err = ParseShare(text); err != nil {
			err = fmt.Errorf("%s: %w", ShareVariable, err)
		}
		return share, ShareVariable, err
	}
	ranks, err := FindRank(getenv)
	if err != nil {
		return Share{}, "", err
	}
	share, by, err = ArrayShare(getenv)
	switch {
	case err != nil || ranks.N < 2:
	case share.N > 0:
		return Share{K: (share.K-1)*ranks.N + ranks.K, N: share.N * ranks.N}, by + " and " + ranks.By, nil
	default:
		if stated, err := number(getenv, SharesVariable); err != nil || stated != 0 && stated != ranks.N {
			return Share{}, "", errors.Join(err, fmt.Errorf("there are %d ranks (%s), but %s is %d; %s", ranks.N, ranks.By, SharesVariable, stated, writeOut))
		}
		return ranks.Share, ranks.By, nil
	}
	if err == nil && share.N == 0 {
		err = ErrNoShare
	}
	return share, by, err
}

// ErrNoShare is returned by [AutoShare] if no variable tells a share.
var ErrNoShare = errors.New("no engine tells a share here, by a variable of an array, an indexed job or ranks; " + writeOut + ", or set " + ShareVariable)

// writeOut is the advice where variables do not tell the share.
const writeOut = "write the share out: --share K/N"

// A Rank is one of several processes that run the same command at the same time. N is 0 if
// nothing says so.
type Rank struct {
	Share        // K counts from 1
	By    string // variable that tells
}

// FindRank returns which rank this process is.
func FindRank(getenv func(string) string) (Rank, error) {
	for _, names := range [][2]string{
		{"OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"}, {"PMI_RANK", "PMI_SIZE"}, {"SLURM_PROCID", "SLURM_STEP_NUM_TASKS"},
	} {
		if getenv(names[0]) == "" || getenv(names[1]) == "" {
			continue
		}
		rank, err := number(getenv, names[0])
		if err != nil {
			return Rank{}, err
		}
		size, err := number(getenv, names[1])
		if err == nil && rank >= size {
			err = fmt.Errorf("%s is %d, but counts from 0 to %s-1 = %d", names[0], rank, names[1], size-1)
		}
		return Rank{Share{rank + 1, size}, names[0]}, err
	}
	return Rank{}, nil
}

// ArrayShare is AutoShare for the task of an array alone, whatever ranks are in it. The
// share is zero outside of an array.
func ArrayShare(getenv func(string) string) (share Share, by string, err error) {
	var found []engine
	for _, e := range engines {
		if v := getenv(e.index); v != "" && v != e.none {
			found = append(found, e)
		}
	}
	switch {
	case len(found) == 0:
		return Share{}, "", nil
	case len(found) > 1:
		return Share{}, "", fmt.Errorf("both %s and %s are set; %s", found[0].index, found[1].index, writeOut)
	}
	e := found[0]
	stated, err := number(getenv, SharesVariable)
	if err != nil {
		return Share{}, "", err
	}
	if ranks, _ := FindRank(getenv); ranks.N > 1 { // which each have a part of the array's shares
		if stated%ranks.N != 0 {
			return Share{}, "", fmt.Errorf("%s is %d, which is no multiple of the number of ranks (%s), %d", SharesVariable, stated, ranks.By, ranks.N)
		}
		stated /= ranks.N
	}
	if e.rest != nil {
		share, err = e.ranged(getenv, stated)
	} else {
		share, err = e.indexed(getenv, stated)
	}
	return share, e.index, err
}

// An engine starts the tasks of an array.
type engine struct {
	array string // what it calls the array
	index string // variable with the index of this task
	none  string // its value outside of an array
	first int64  // index of the first task
	count string // variable with the number of tasks; "" if there is none
	loose bool   // count need not agree with PROCPOOL_SHARES

	// Of an array that is a range: variables with the first index, the last one, the
	// step, and perhaps the count. nil for others.
	rest []string
}

var engines = []engine{
	{array: "Slurm array", index: "SLURM_ARRAY_TASK_ID", rest: []string{"SLURM_ARRAY_TASK_MIN", "SLURM_ARRAY_TASK_MAX", "SLURM_ARRAY_TASK_STEP", "SLURM_ARRAY_TASK_COUNT"}},
	{array: "Kubernetes job", index: "JOB_COMPLETION_INDEX"},
	{array: "AWS Batch array", index: "AWS_BATCH_JOB_ARRAY_INDEX", count: "AWS_BATCH_JOB_ARRAY_SIZE"},
	{array: "Grid Engine array", index: "SGE_TASK_ID", none: "undefined", rest: []string{"SGE_TASK_FIRST", "SGE_TASK_LAST", "SGE_TASK_STEPSIZE"}},
	{array: "PBS array", index: "PBS_ARRAY_INDEX", first: 1},
	{array: "Torque array", index: "PBS_ARRAYID", first: 1},
	{array: "LSF array", index: "LSB_JOBINDEX", none: "0", first: 1, count: "LSB_JOBINDEX_END", loose: true},
	{array: "Cloud Run job", index: "CLOUD_RUN_TASK_INDEX", count: "CLOUD_RUN_TASK_COUNT"},
	{array: "GitLab job", index: "CI_NODE_INDEX", first: 1, count: "CI_NODE_TOTAL"},
}

// indexed returns the share of a task whose indices are first, first+1 and so on.
func (e engine) indexed(getenv func(string) string, stated int64) (Share, error) {
	index, err := number(getenv, e.index)
	if err != nil {
		return Share{}, err
	}
	n, by := stated, SharesVariable
	if e.count != "" && (stated == 0 || !e.loose) {
		told, err := number(getenv, e.count)
		switch {
		case err != nil:
			return Share{}, err
		case e.loose && told == 1:
			told = 0 // a task that was submitted again alone looks like this
		case told != 0 && stated != 0 && told != stated:
			return Share{}, fmt.Errorf("%s is %d, but %s is %d; %s", e.count, told, SharesVariable, stated, writeOut)
		}
		if told != 0 {
			n, by = told, e.count
		}
	}
	last := n - 1 + e.first
	switch {
	case n == 0:
		return Share{}, fmt.Errorf("%s does not tell of how many; set %s to the number of tasks", e.index, SharesVariable)
	case index < e.first || index > last:
		return Share{}, fmt.Errorf("%s is %d, but must be from %d to %d, since %s is %d", e.index, index, e.first, last, by, n)
	}
	return Share{K: index - e.first + 1, N: n}, nil
}

// ranged returns the share of a task whose indices are a range with a step.
func (e engine) ranged(getenv func(string) string, stated int64) (Share, error) {
	var v [5]int64
	for i, name := range append([]string{e.index}, e.rest...) {
		if getenv(name) == "" {
			return Share{}, fmt.Errorf("%s is not set; %s", name, writeOut)
		}
		var err error
		if v[i], err = number(getenv, name); err != nil {
			return Share{}, err
		}
	}
	id, first, last, step, count := v[0], v[1], v[2], v[3], v[4]
	regular := step > 0 && id >= first && id <= last && (id-first)%step == 0
	if regular && len(e.rest) == 3 {
		count = (last-first)/step + 1
	} else if regular {
		regular = (last-first)%step == 0 && (last-first)/step == count-1
	}
	switch {
	case count == 1:
		return Share{}, fmt.Errorf("a %s of one task does not tell of how many shares it is one (a task submitted again alone looks like this); %s", e.array, writeOut)
	case !regular:
		return Share{}, fmt.Errorf("the %s (task %d, %d to %d by %d) is not a regular range; %s", e.array, id, first, last, step, writeOut)
	case stated != 0 && stated != count:
		return Share{}, fmt.Errorf("the %s has %d tasks, but %s is %d (some tasks submitted again look like this); %s", e.array, count, SharesVariable, stated, writeOut)
	}
	return Share{K: (id-first)/step + 1, N: count}, nil
}

// ShareVariables are the names of all variables that AutoShare reads.
func ShareVariables() []string {
	names := []string{ShareVariable, SharesVariable}
	for _, e := range engines {
		names = append(names, e.index)
		if e.count != "" {
			names = append(names, e.count)
		}
		names = append(names, e.rest...)
	}
	return append(names, "OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE", "PMI_RANK", "PMI_SIZE", "SLURM_PROCID", "SLURM_STEP_NUM_TASKS")
}

// number reads a variable with a number. It returns 0 if it is not set.
func number(getenv func(string) string, name string) (int64, error) {
	text := strings.TrimSpace(getenv(name))
	if text == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 {
		return 0, fmt.Errorf("%s is %q, not a number", name, text)
	}
	return n, nil
}
