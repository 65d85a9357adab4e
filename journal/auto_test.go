package journal

import (
	"strings"
	"testing"
)

// variables reads "A=1 B=2".
func variables(text string) func(string) string {
	env := map[string]string{}
	for _, v := range strings.Fields(text) {
		name, value, _ := strings.Cut(v, "=")
		env[name] = value
	}
	return func(name string) string { return env[name] }
}

// slurmArray returns the variables of task id of an array.
func slurmArray(id, count, first, last, step string) string {
	return "SLURM_ARRAY_TASK_ID=" + id + " SLURM_ARRAY_TASK_COUNT=" + count + " SLURM_ARRAY_TASK_MIN=" + first +
		" SLURM_ARRAY_TASK_MAX=" + last + " SLURM_ARRAY_TASK_STEP=" + step
}

func gridArray(id, first, last, step string) string {
	return "SGE_TASK_ID=" + id + " SGE_TASK_FIRST=" + first + " SGE_TASK_LAST=" + last + " SGE_TASK_STEPSIZE=" + step
}

func TestAutoShare(t *testing.T) {
	for _, c := range []struct {
		env  string
		want Share
		err  string // part of the error
	}{
		{"PROCPOOL_SHARE=2/3", Share{2, 3}, ""},
		{"PROCPOOL_SHARE=2/3 SLURM_ARRAY_TASK_ID=1 JOB_COMPLETION_INDEX=7 PMI_RANK=1 PMI_SIZE=2", Share{2, 3}, ""},
		{"PROCPOOL_SHARE=4/3", Share{}, "PROCPOOL_SHARE: share"},
		{"", Share{}, "no engine tells a share"},
		{"PROCPOOL_SHARES=3", Share{}, "no engine tells a share"},

		{slurmArray("0", "4", "0", "3", "1"), Share{1, 4}, ""},
		{slurmArray("4", "4", "1", "4", "1"), Share{4, 4}, ""},
		{slurmArray("14", "3", "10", "14", "2"), Share{3, 3}, ""},
		{slurmArray("2", "4", "1", "4", "1") + " PROCPOOL_SHARES=4", Share{2, 4}, ""},
		{slurmArray("2", "2", "2", "3", "1") + " PROCPOOL_SHARES=4", Share{}, "PROCPOOL_SHARES is 4"},
		{slurmArray("3", "5", "3", "14", "2"), Share{}, "not a regular range"}, // --array=3,7,10-14:2
		{slurmArray("11", "3", "10", "14", "2"), Share{}, "not a regular range"},
		{slurmArray("2", "1", "2", "2", "1"), Share{}, "submitted again alone"},
		{slurmArray("0", "1", "0", "0", "1"), Share{}, "--share K/N"},
		{slurmArray("0", "4", "0", "3", "0"), Share{}, "not a regular range"},
		{slurmArray("9", "4", "0", "3", "1"), Share{}, "not a regular range"},
		{slurmArray("x", "4", "0", "3", "1"), Share{}, `SLURM_ARRAY_TASK_ID is "x"`},
		{slurmArray("0", "", "0", "3", "1"), Share{}, "SLURM_ARRAY_TASK_COUNT is not set"},
		{slurmArray("0", "4", "0", "-3", "1"), Share{}, `SLURM_ARRAY_TASK_MAX is "-3"`},

		{gridArray("1", "1", "4", "1"), Share{1, 4}, ""},
		{gridArray("7", "1", "10", "3"), Share{3, 4}, ""},
		{gridArray("7", "1", "9", "3"), Share{3, 3}, ""},
		{gridArray("8", "1", "9", "3"), Share{}, "not a regular range"},
		{gridArray("2", "2", "2", "1"), Share{}, "a Grid Engine array of one task"},
		{gridArray("2", "2", "3", "1") + " PROCPOOL_SHARES=9", Share{}, "the Grid Engine array has 2 tasks, but PROCPOOL_SHARES is 9"},
		{gridArray("undefined", "undefined", "undefined", "undefined"), Share{}, "no engine tells a share"},

		{"JOB_COMPLETION_INDEX=0 PROCPOOL_SHARES=3", Share{1, 3}, ""},
		{"JOB_COMPLETION_INDEX=2 PROCPOOL_SHARES=3", Share{3, 3}, ""},
		{"JOB_COMPLETION_INDEX=3 PROCPOOL_SHARES=3", Share{}, "must be from 0 to 2, since PROCPOOL_SHARES is 3"},
		{"JOB_COMPLETION_INDEX=0", Share{}, "set PROCPOOL_SHARES"},
		{"JOB_COMPLETION_INDEX=0 PROCPOOL_SHARES=three", Share{}, `PROCPOOL_SHARES is "three"`},
		{slurmArray("0", "4", "0", "3", "1") + " JOB_COMPLETION_INDEX=0", Share{}, "both SLURM_ARRAY_TASK_ID and JOB_COMPLETION_INDEX are set"},

		{"AWS_BATCH_JOB_ARRAY_INDEX=0 AWS_BATCH_JOB_ARRAY_SIZE=2", Share{1, 2}, ""},
		{"AWS_BATCH_JOB_ARRAY_INDEX=1 AWS_BATCH_JOB_ARRAY_SIZE=2 PROCPOOL_SHARES=3", Share{}, "AWS_BATCH_JOB_ARRAY_SIZE is 2, but PROCPOOL_SHARES is 3"},
		{"AWS_BATCH_JOB_ARRAY_INDEX=1 PROCPOOL_SHARES=3", Share{2, 3}, ""},
		{"CLOUD_RUN_TASK_INDEX=0 CLOUD_RUN_TASK_COUNT=1", Share{1, 1}, ""},
		{"CLOUD_RUN_TASK_INDEX=9 CLOUD_RUN_TASK_COUNT=10", Share{10, 10}, ""},
		{"CI_NODE_INDEX=1 CI_NODE_TOTAL=5", Share{1, 5}, ""},
		{"CI_NODE_INDEX=5 CI_NODE_TOTAL=5", Share{5, 5}, ""},
		{"CI_NODE_TOTAL=1", Share{}, "no engine tells a share"},

		{"PBS_ARRAY_INDEX=2 PROCPOOL_SHARES=3", Share{2, 3}, ""},
		{"PBS_ARRAY_INDEX=2", Share{}, "PBS_ARRAY_INDEX does not tell of how many"},
		{"PBS_ARRAY_INDEX=0 PROCPOOL_SHARES=3", Share{}, "must be from 1 to 3"},
		{"PBS_ARRAYID=3 PROCPOOL_SHARES=3", Share{3, 3}, ""},
		{"LSB_JOBINDEX=3 PROCPOOL_SHARES=4", Share{3, 4}, ""},
		{"LSB_JOBINDEX=3 LSB_JOBINDEX_END=4", Share{3, 4}, ""},
		{"LSB_JOBINDEX=3 LSB_JOBINDEX_END=3 PROCPOOL_SHARES=4", Share{3, 4}, ""}, // submitted again as [3]
		{"LSB_JOBINDEX=1 LSB_JOBINDEX_END=1", Share{}, "set PROCPOOL_SHARES"},
		{"LSB_JOBINDEX=0", Share{}, "no engine tells a share"},

		{"OMPI_COMM_WORLD_RANK=0 OMPI_COMM_WORLD_SIZE=4", Share{1, 4}, ""},
		{"OMPI_COMM_WORLD_RANK=2 OMPI_COMM_WORLD_SIZE=4 SLURM_PROCID=0 SLURM_STEP_NUM_TASKS=2", Share{3, 4}, ""}, // mpirun in a Slurm job
		{"PMI_RANK=3 PMI_SIZE=4", Share{4, 4}, ""},
		{"SLURM_PROCID=1 SLURM_STEP_NUM_TASKS=2", Share{2, 2}, ""},
		{"SLURM_PROCID=1 SLURM_STEP_NUM_TASKS=2 PROCPOOL_SHARES=2", Share{2, 2}, ""},
		{"SLURM_PROCID=1 SLURM_STEP_NUM_TASKS=2 PROCPOOL_SHARES=5", Share{}, "there are 2 ranks (SLURM_PROCID), but PROCPOOL_SHARES is 5"},
		{"SLURM_PROCID=0 SLURM_STEP_NUM_TASKS=1", Share{}, "no engine tells a share"},
		{"SLURM_PROCID=0 SLURM_NTASKS=4", Share{}, "no engine tells a share"}, // a batch script
		{"PMI_RANK=4 PMI_SIZE=4", Share{}, "counts from 0 to PMI_SIZE-1 = 3"},

		// Ranks in an array.
		{slurmArray("1", "2", "1", "2", "1") + " SLURM_PROCID=0 SLURM_STEP_NUM_TASKS=3", Share{1, 6}, ""},
		{slurmArray("2", "2", "1", "2", "1") + " SLURM_PROCID=2 SLURM_STEP_NUM_TASKS=3 PROCPOOL_SHARES=6", Share{6, 6}, ""},
		{slurmArray("2", "2", "1", "2", "1") + " SLURM_PROCID=2 SLURM_STEP_NUM_TASKS=3 PROCPOOL_SHARES=2", Share{}, "no multiple of the number of ranks"},
		{"PBS_ARRAY_INDEX=2 PROCPOOL_SHARES=4 OMPI_COMM_WORLD_RANK=1 OMPI_COMM_WORLD_SIZE=2", Share{4, 4}, ""},
	} {
		got, by, err := AutoShare(variables(c.env))
		if got != c.want || (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) || err == nil && by == "" {
			t.Errorf("%s gives %v by %s, %v; want %v, %s", c.env, got, by, err, c.want, c.err)
		}
	}
}

// Together the tasks of an array, each with several ranks, have each share once.
func TestRanksInArraysShareOnce(t *testing.T) {
	seen := map[Share]bool{}
	for _, task := range []string{"5", "7", "9"} {
		for _, rank := range []string{"0", "1", "2", "3"} {
			s, _, err := AutoShare(variables(slurmArray(task, "3", "5", "9", "2") + " SLURM_STEP_NUM_TASKS=4 SLURM_PROCID=" + rank))
			if err != nil || s.N != 12 || seen[s] {
				t.Fatalf("task %s, rank %s: %v, %v", task, rank, s, err)
			}
			seen[s] = true
		}
	}
}
