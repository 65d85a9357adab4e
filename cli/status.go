package cli

import (
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/urfave/cli/v2"

	"procpool/internal/text"
	"procpool/ipc"
	"procpool/journal"
	"procpool/pool"
)

// A statusCommand is one call of status.
type statusCommand struct {
	*program
	from          string
	missing, json bool
}

func (p *program) statusCommand() *cli.Command {
	s := &statusCommand{program: p}
	return &cli.Command{
		Name: "status", ArgsUsage: "JOURNAL...",
		Usage: "show how much of a job its journals hold, also while they are written",
		Description: "Shows how many chunks the journals hold, together and each by itself, how fast chunks were finished lately, and how long the rest takes at that rate. " +
			"With --missing it prints only the numbers of the shares that are not complete, also of those without a journal, in the form that sbatch --array takes.",
		UsageText: p.Name + " status share-*.journal",
		Flags: []cli.Flag{
			&cli.BoolFlag{Category: categoryBatch, Name: "missing", Destination: &s.missing, Usage: "print only the numbers of the shares that are not complete, such as 2,5-7"},
			filesFlag(&s.from),
			jsonFlag(&s.json, "print one JSON object"),
			quietFlag(p),
		},
		Action: s.status,
	}
}

// A statusReport is the object that status --json prints.
type statusReport struct {
	Status     string        `json:"status"` // done or incomplete
	Task       string        `json:"task"`
	Interval   ipc.Interval  `json:"interval"`
	Shares     int64         `json:"shares,omitempty"`  // how many there are to be
	Missing    string        `json:"missing,omitempty"` // numbers of the shares that are not complete
	Chunks     int64         `json:"chunks"`
	Done       int64         `json:"chunks_done"`
	Percent    float64       `json:"percent"`
	Rate       *float64      `json:"chunks_per_second"` // of the journals that are not complete, lately; null if unknown
	ETASeconds *float64      `json:"eta_seconds"`       // at that rate; null if unknown
	Journals   []shareReport `json:"journals"`
}

type shareReport struct {
	Path       string        `json:"path"`
	Share      journal.Share `json:"share,omitzero"`
	Deal       string        `json:"deal,omitempty"`
	Chunks     int64         `json:"chunks"`
	Done       int64         `json:"chunks_done"`
	Percent    float64       `json:"percent"`
	Damaged    int           `json:"damaged_lines"` // which are left out
	Rate       *float64      `json:"chunks_per_second"`
	ETASeconds *float64      `json:"eta_seconds"`
	Last       *time.Time    `json:"last"` // when its last chunk was finished; null if none was
}

func (s *statusCommand) status(c *cli.Context) error {
	s.signals.cuts()
	paths, err := s.journalNames(c, s.from)
	if err != nil {
		return err
	}
	if len(paths) == 0 {
		return usageHint("status needs journals", s.Name+" status share-*.journal")
	}
	survey, err := journal.NewSurvey(c.Context, paths)
	if err != nil {
		return journalError(err)
	}
	r := statusOf(survey)
	switch {
	case s.missing && s.json:
		return usage("--missing and --json cannot be used together: the JSON object has missing")
	case s.missing && r.Shares == 0 && r.Status != string(pool.Done):
		return usageHint("the journals do not tell how many shares there are", "name the journal of at least one share; to divide what a merge lacks, use run --journal FILE --resume --share K/N")
	case s.missing && r.Missing == "":
		s.note("nothing is missing")
		return nil
	case s.missing:
		return s.print("the list", r.Missing+"\n")
	case s.json:
		return s.printJSON(r)
	}
	return s.print("the report", r.text(time.Now()))
}

func statusOf(survey *journal.Survey) statusReport {
	all := survey.Coverage()
	r := statusReport{Status: "incomplete", Task: survey.Header.Task, Interval: survey.Header.Interval, Shares: survey.Shares(),
		Missing: survey.MissingShares(), Chunks: all.Chunks, Done: all.Done, Percent: all.Percent(), Journals: []shareReport{}}
	if all.Complete() {
		r.Status = string(pool.Done)
	}
	sum := 0.0
	for _, j := range survey.States {
		one := shareReport{Path: j.Path, Share: j.Share, Deal: j.Deal, Chunks: j.Coverage.Chunks, Done: j.Coverage.Done, Percent: j.Coverage.Percent(), Damaged: j.Damaged}
		one.Rate, one.ETASeconds = pace(j.Rate, one.Chunks-one.Done)
		if !j.Last.IsZero() {
			one.Last = &j.Last
		}
		if one.Done < one.Chunks {
			sum += j.Rate
		}
		r.Journals = append(r.Journals, one)
	}
	r.Rate, r.ETASeconds = pace(sum, r.Chunks-r.Done)
	return r
}

// pace returns the rate, and how many seconds chunks take at that rate; nil if unknown.
func pace(rate float64, chunks int64) (perSecond, seconds *float64) {
	if rate > 0 {
		perSecond = &rate
	}
	if eta := float64(chunks) / rate; chunks == 0 || rate > 0 {
		if chunks == 0 {
			eta = 0
		}
		seconds = &eta
	}
	return perSecond, seconds
}

func (r statusReport) text(now time.Time) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s over %v: %d of %s are done (%s %%)%s\n", r.Task, r.Interval, r.Done, text.Plural(r.Chunks, "chunk"), text.Float(r.Percent), paceText(", ", r.Rate, r.ETASeconds))
	if r.Missing != "" {
		fmt.Fprintf(&b, "missing shares: %s of %d\n", r.Missing, r.Shares)
	}
	table := tabwriter.NewWriter(&b, 0, 8, 2, ' ', 0)
	fmt.Fprintln(table, "journal\tshare\tdone\t%\trate\tlast chunk")
	for _, j := range r.Journals {
		last := "-"
		if j.Last != nil {
			last = fmt.Sprintf("%v ago", now.Sub(*j.Last).Round(time.Second))
		}
		fmt.Fprintf(table, "%s\t%v\t%d/%d\t%s\t%s\t%s\n", j.Path, j.Share, j.Done, j.Chunks, text.Float(j.Percent), orDash(paceText("", j.Rate, j.ETASeconds)), last)
	}
	table.Flush()
	for _, j := range r.Journals {
		if j.Damaged > 0 {
			fmt.Fprintf(&b, "%s has %s, whose chunks count as missing\n", j.Path, text.Plural(int64(j.Damaged), "damaged line"))
		}
	}
	return b.String()
}

// paceText returns "0.5/s, 2m0s left", with begin before it, or "" if it is unknown.
func paceText(begin string, rate, seconds *float64) string {
	if rate == nil || seconds == nil || *seconds == 0 {
		return ""
	}
	return fmt.Sprintf("%s%.3g/s, %v left", begin, *rate, time.Duration(*seconds*float64(time.Second)).Round(time.Second))
}
