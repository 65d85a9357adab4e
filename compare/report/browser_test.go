package report

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"html"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// probe runs in the page. It reports every figure: how many
// of its drawings have an extent, and which texts or drawings leave the canvas.
const probe = `<script>
var out = [];
document.querySelectorAll("figure").forEach(function (f) {
  var svg = f.querySelector("svg"), box = svg.viewBox.baseVal, drawn = 0, outside = [];
  svg.querySelectorAll("text, rect, line, circle, path").forEach(function (e) {
    var b = e.getBBox(), m = svg.getScreenCTM().inverse().multiply(e.getScreenCTM()), xs = [], ys = [];
    [[b.x, b.y], [b.x + b.width, b.y], [b.x, b.y + b.height], [b.x + b.width, b.y + b.height]].forEach(function (p) {
      xs.push(m.a * p[0] + m.c * p[1] + m.e); ys.push(m.b * p[0] + m.d * p[1] + m.f);
    });
    if (Math.min.apply(0, xs) < -1 || Math.max.apply(0, xs) > box.width + 1 || Math.min.apply(0, ys) < -1 || Math.max.apply(0, ys) > box.height + 1) {
      outside.push(e.outerHTML.slice(0, 160));
    }
    if (e.matches(".mark, .phase, .bar") && b.width > 0 && b.height > 0) { drawn++; }
  });
  out.push({ id: f.id, drawn: drawn, outside: outside, table: f.querySelectorAll("tbody tr").length });
});
var pre = document.createElement("pre");
pre.id = "probe";
pre.textContent = JSON.stringify({ figures: out, requests: performance.getEntriesByType("resource").map(function (r) { return r.name; }),
  width: document.documentElement.scrollWidth });
document.body.appendChild(pre);
</script>`

// TestInABrowser opens pages in Chromium, where there is one: no console error, no
// request but the file itself, every figure drawn and within its canvas, and no
// page wider than the window.
func TestInABrowser(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a browser")
	}
	browser, err := exec.LookPath("chromium")
	if err != nil {
		t.Skip("no chromium here")
	}
	records := records(t)
	for what, width := range map[string]int{"usual": 1300, "far apart": 1300, "many worker counts": 500, "two rounds": 500} {
		t.Run(what, func(t *testing.T) {
			// The page's policy allows no script, so what looks at it must lift that.
			page := strings.Replace(rendered(t, "HTML", records[what]), escape(policy), "", 1)
			inspect(t, browser, page, width)
		})
	}
}

func inspect(t *testing.T, browser, page string, width int) {
	dir := t.TempDir()
	file := filepath.Join(dir, "page.html")
	if err := os.WriteFile(file, []byte(strings.Replace(page, "</body>", probe+"</body>", 1)), 0o644); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, browser, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
		"--disable-component-update", "--disable-sync", "--user-data-dir="+filepath.Join(dir, "profile"), "--enable-logging=stderr",
		"--host-resolver-rules=MAP * ~NOTFOUND", // the browser's own business must not leave the machine either
		fmt.Sprintf("--window-size=%d,900", width), "--dump-dom", "file://"+file)
	cmd.WaitDelay = 10 * time.Second
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	dom, err := cmd.Output()
	if err != nil {
		t.Fatalf("chromium: %v\n%s", err, stderr.String())
	}
	if at := regexp.MustCompile(`.*CONSOLE.*`).FindString(stderr.String()); at != "" {
		t.Errorf("console: %s", at)
	}
	checkProbe(t, string(dom), strings.Count(page, "<figure"), width)
}

func checkProbe(t *testing.T, dom string, figures, width int) {
	_, after, ok := strings.Cut(dom, `<pre id="probe">`)
	raw, _, _ := strings.Cut(after, "</pre>")
	var found struct {
		Figures []struct {
			ID      string
			Drawn   int
			Outside []string
			Table   int
		}
		Requests []string
		Width    int
	}
	if err := json.Unmarshal([]byte(html.UnescapeString(raw)), &found); !ok || err != nil {
		t.Fatalf("the page did not run: %v %.200s", err, raw)
	}
	if len(found.Figures) != figures || figures == 0 {
		t.Errorf("%d figures in the browser, %d written", len(found.Figures), figures)
	}
	for _, f := range found.Figures {
		if f.Drawn == 0 || f.Table == 0 {
			t.Errorf("%s: %d drawings with an extent, %d rows of data", f.ID, f.Drawn, f.Table)
		}
		for _, e := range f.Outside {
			t.Errorf("%s: outside of the canvas: %s", f.ID, e)
		}
	}
	for _, r := range found.Requests {
		t.Errorf("the page requests %s", r)
	}
	if found.Width > width {
		t.Errorf("the page is %d pixels wide in a window of %d", found.Width, width)
	}
}
