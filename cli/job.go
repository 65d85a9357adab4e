package cli

import (
	"embed"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"text/template"
	"time"

	"github.com/urfave/cli/v2"

	"procpool/internal/text"
)

// Each engine's job is a text/template over a jobText; drain.sh has the part that several
// of them share.
//
//go:embed jobs
var jobTemplates embed.FS

// jobFiles are the templates, by engine.
var jobFiles = map[string]string{
	"slurm": "slurm.sh", "gridengine": "gridengine.sh", "pbs": "pbs.sh", "lsf": "lsf.sh", "kubernetes": "kubernetes.yaml",
	"aws-batch": "aws-batch.sh", "parallel": "parallel.sh", "make": "make.mk",
}

var jobEngines = []string{"slurm", "gridengine", "pbs", "lsf", "kubernetes", "aws-batch", "parallel", "make"}

// A jobCommand is one call of job.
type jobCommand struct {
	*program
	engine, name, image string
	shares, procs, mem  int64
	limit               time.Duration
}

func (p *program) jobCommand() *cli.Command {
	j := &jobCommand{program: p}
	return &cli.Command{
		Name: "job", ArgsUsage: "-- run|exec ...",
		Usage: "print a batch job that computes shares and merges them",
		Description: "Prints a script, a manifest or a makefile for a batch engine: an array of shares that resume when they are started again, and a merge that waits for them. " +
			"What follows -- is the command of a share, without --share, --journal and --resume, which the job adds. It submits nothing; the first lines of the output say how to submit the job.",
		UsageText: p.Name + " job --engine slurm --shares 100 -- run --task pi-fast 1e13",
		Flags: []cli.Flag{
			&cli.GenericFlag{Category: categoryWhere, Name: "engine", Value: choice(&j.engine, "", jobEngines...), Usage: "print a job for engine `NAME`: " + strings.Join(jobEngines, ", ")},
			&cli.GenericFlag{Category: categoryWhat, Name: "shares", Value: number(&j.shares, "", 1, 1_000_000), Usage: "divide the work into `N` shares"},
			&cli.GenericFlag{Category: categoryWhere, Name: "procs", Aliases: []string{"n"}, Value: number(&j.procs, "1", 1, 4096), Usage: "ask for `P` CPUs a share"},
			&cli.GenericFlag{Category: categoryLimits, Name: "time", Value: duration(&j.limit, "1h"), Usage: "ask for `D` a share; one that needs longer is continued"},
			&cli.GenericFlag{Category: categoryLimits, Name: "mem", Value: newValue(&j.mem, "", parseSize), Usage: "ask for memory of `SIZE` a share, such as 512M"},
			&cli.GenericFlag{Category: categoryOutput, Name: "name", Value: newValue(&j.name, p.jobName(), readJobName), Usage: "name the job `NAME`, and begin the names of its files with it"},
			&cli.StringFlag{Category: categoryWhere, Name: "image", Destination: &j.image, Value: p.jobName(), Usage: "run each share in container image `IMAGE`, for kubernetes"},
		},
		Action: j.job,
	}
}

// jobName returns the default of --name: the program's name if it is valid for a job.
func (p *program) jobName() string {
	if name, err := readJobName(p.Name); err == nil {
		return name
	}
	return "shares"
}

// readJobName accepts only names that need no quotes in any engine's syntax.
func readJobName(name string) (string, error) {
	odd := func(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-' }
	if name == "" || len(name) > 40 || strings.ContainsFunc(name, odd) || strings.Trim(name, "-") != name {
		return "", fmt.Errorf("it must be at most 40 lower-case letters, digits and dashes")
	}
	return name, nil
}

// A jobText holds the values of the templates.
type jobText struct {
	Engine, Name, Image, Exe, MadeBy string
	Shares, Procs, MiB               int64
	Minutes, Seconds                 int64
	Clock, SoftClock                 string // the limit, and three minutes less
	Run, MergeRun                    string // for a shell with the variables share and journal
	Words, Merge                     []string
	Overrides, MergeOverrides        any // of AWS Batch
	Tried                            string
}

func (j *jobCommand) job(c *cli.Context) error {
	words := c.Args().Slice()
	if len(words) > 0 && words[0] == "--" {
		words = words[1:]
	}
	if err := j.check(c, words); err != nil {
		return err
	}
	exe := j.Name
	containers := j.engine == "kubernetes" || j.engine == "aws-batch"
	if strings.ContainsRune(j.Args[0], filepath.Separator) && !containers {
		exe, _ = filepath.Abs(j.Args[0])
	}
	t := jobText{Engine: j.engine, Name: j.name, Image: j.image, Exe: text.ShellQuote(exe), Shares: j.shares, Procs: j.procs, MiB: (j.mem + 1<<20 - 1) >> 20,
		Seconds: int64(j.limit.Seconds()), Minutes: int64((j.limit + time.Minute - 1) / time.Minute), Clock: clock(j.limit), SoftClock: clock(j.limit - 3*time.Minute),
		MadeBy: strings.ReplaceAll(text.ShellQuote(append([]string{filepath.Base(j.Args[0])}, j.Args[1:]...)...), "\n", " "), Tried: "nobody has run it"}
	added := []string{"--resume"}
	if !has(words, "grace") {
		added = append(added, "--grace", "80s")
	}
	if (j.engine == "pbs" || j.engine == "aws-batch") && !has(words, "deadline") {
		added = append(added, "--deadline", (j.limit - 3*time.Minute).String())
	}
	if (j.engine == "parallel" || j.engine == "make") && !has(words, "procs") && !has(words, "n") {
		added = append(added, "--procs", strconv.FormatInt(j.procs, 10))
	}
	added = append(added, words[1:]...)
	journal := "/data/" + j.name + "-{share}.journal"
	t.Words = slices.Concat([]string{exe, words[0], "--share", "auto", "--journal", journal}, added)
	if j.engine == "kubernetes" { // which replaces $(NAME)
		for i, w := range t.Words {
			t.Words[i] = strings.ReplaceAll(w, "$(", "$$(")
		}
	}
	t.Merge = []string{exe, "merge"}
	if containers {
		for k := range j.shares {
			t.Merge = append(t.Merge, fmt.Sprintf("/data/%s-%d.journal", j.name, k+1))
		}
	}
	t.Run = fmt.Sprintf(`%s %s --share "$share/%d" --journal "$journal" %s`, t.Exe, words[0], j.shares, text.ShellQuote(added...))
	t.MergeRun = fmt.Sprintf(`printf '%s-%%s.journal\0' $(seq %d) | %s merge --files0-from -`, j.name, j.shares, t.Exe)
	t.Overrides = override{t.Words, []resource{{"VCPU", strconv.FormatInt(j.procs, 10)}}}
	if t.MiB > 0 {
		t.Overrides = override{t.Words, []resource{{"VCPU", strconv.FormatInt(j.procs, 10)}, {"MEMORY", strconv.FormatInt(t.MiB, 10)}}}
	}
	t.MergeOverrides = override{t.Merge, nil}
	out, err := t.render()
	if err != nil {
		return err
	}
	return j.print("the job", out)
}

type override struct {
	Command   []string   `json:"command"`
	Resources []resource `json:"resourceRequirements,omitempty"`
}

type resource struct {
	Type  string `json:"type"`
	Value string `json:"value"`
}

// check refuses arguments that make no valid job.
func (j *jobCommand) check(c *cli.Context, words []string) error {
	example := j.Name + " job --engine slurm --shares 100 -- run --task pi-fast 1e13"
	switch {
	case j.engine == "":
		return usageHint("--engine is missing", "the engines are "+strings.Join(jobEngines, ", "))
	case j.shares == 0:
		return usageHint("--shares is missing", example)
	case len(words) == 0 || words[0] != "run" && words[0] != "exec":
		return usageHint("job needs -- and after it run or exec, the command of a share", example)
	case j.shares == 1 && (j.engine == "pbs" || j.engine == "aws-batch"):
		return usage("an array of %s has at least 2 tasks", j.engine)
	case j.shares > 10000 && j.engine == "aws-batch":
		return usage("an array of aws-batch has at most 10000 tasks")
	case j.limit < 10*time.Minute:
		return usage("--time is %v: it must be at least 10m, since the job is warned minutes before its end", j.limit)
	case j.engine == "make" && strings.Contains(strings.Join(words, ""), "\n"):
		return usage("a makefile cannot have a command with a line break in a word")
	}
	for _, name := range []string{"share", "journal", "resume"} {
		if has(words, name) {
			return usage("--%s is added by the job: leave it out after --", name)
		}
	}
	return nil
}

// has reports whether a flag is among words, before those of a command of exec.
func has(words []string, flag string) bool {
	if i := slices.Index(words, "--"); i >= 0 {
		words = words[:i]
	}
	return slices.ContainsFunc(words, func(w string) bool {
		name, _, _ := strings.Cut(w, "=")
		return name == "--"+flag || name == "-"+flag
	})
}

// clock prints a duration as engines take it: "01:00:00".
func clock(d time.Duration) string {
	s := int64(d.Seconds())
	return fmt.Sprintf("%02d:%02d:%02d", s/3600, s/60%60, s%60)
}

func (t jobText) render() (string, error) {
	funcs := template.FuncMap{
		"json": func(v any) (string, error) {
			var b strings.Builder
			enc := json.NewEncoder(&b)
			enc.SetEscapeHTML(false)
			err := enc.Encode(v)
			return strings.TrimSuffix(b.String(), "\n"), err
		},
		"quote":    func(s string) string { return text.ShellQuote(s) },
		"makefile": func(s string) string { return strings.ReplaceAll(s, "$", "$$") },
	}
	file := jobFiles[t.Engine]
	parsed, err := template.New(file).Funcs(funcs).ParseFS(jobTemplates, "jobs/drain.sh", "jobs/"+file)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	err = parsed.Execute(&b, t)
	return b.String(), err
}
