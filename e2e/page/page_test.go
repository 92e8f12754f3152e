// Package page_test uses the scaler's page as a person does, in a real browser: a
// whole scaler with a thousand triggers on a real Prometheus engine.
package page_test

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	pb "github.com/kedacore/keda/v2/pkg/scalers/externalscaler"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/infra-arch/zmy-scaler/internal/app"
	"github.com/infra-arch/zmy-scaler/internal/clock"
	"github.com/infra-arch/zmy-scaler/internal/config"
	"github.com/infra-arch/zmy-scaler/internal/metrics"
	"github.com/infra-arch/zmy-scaler/pkg/promquery"
	"github.com/infra-arch/zmy-scaler/pkg/promquery/promquerytest"
)

const triggers = 1000

var picture = flag.String("picture", "", "write a picture of one trigger's page to this file")

// start runs a scaler that KEDA has asked for a thousand triggers, and returns the
// address of its page. The last trigger has no data.
func start(t *testing.T) (address string, prom *promquerytest.Server) {
	t.Helper()
	prom = promquerytest.New(t, "")
	prom.Load(time.Now().Add(-30*time.Minute), 15*time.Second, series())
	c := config.Default()
	c.GRPC.Address, c.HTTP.Address = "127.0.0.1:0", "127.0.0.1:0"
	c.Sources = []promquery.SourceConfig{promquery.NewSourceConfig("default", prom.URL)}
	a, err := app.New(t.Context(), app.Options{Config: c, Build: metrics.Build{Version: "test"}, Clock: clock.Real(), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- a.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	ask(t, a.GRPCAddr().String())
	return "http://" + a.HTTPAddr().String() + "/", prom
}

// series is half an hour of yields: a slow wave for each fleet, another phase each.
func series() string {
	var b strings.Builder
	for i := range triggers - 1 {
		fmt.Fprintf(&b, "zmy{job=\"worker-%04d\"}", i)
		for step := range 130 {
			fmt.Fprintf(&b, " %.3f", 0.5+0.48*math.Sin(float64(i)/7+float64(step)/25))
		}
		b.WriteString("\n")
	}
	fmt.Fprintf(&b, "workers 4x130\n")
	return b.String()
}

// ask asks for every trigger as KEDA does.
func ask(t *testing.T, address string) {
	t.Helper()
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	keda := pb.NewExternalScalerClient(conn)
	var group sync.WaitGroup
	for i := range triggers {
		group.Go(func() {
			ref := &pb.ScaledObjectRef{
				Namespace: fmt.Sprintf("team-%02d", i%20), Name: fmt.Sprintf("worker-%04d", i),
				ScalerMetadata: map[string]string{"zmyQuery": fmt.Sprintf(`avg(zmy{job="worker-%04d"})`, i), "replicasQuery": "sum(workers)"},
			}
			// The one without data gets an error, later.
			if _, err := keda.GetMetrics(t.Context(), &pb.GetMetricsRequest{ScaledObjectRef: ref, MetricName: "zmy"}, grpc.WaitForReady(true)); err != nil {
				t.Errorf("trigger %d: %v", i, err)
			}
		})
	}
	group.Wait()
}

// browser opens a Chromium with an empty profile, which ends with the test, and
// collects what goes wrong in it.
func browser(t *testing.T) (ctx context.Context, complaints func() []string) {
	t.Helper()
	program := installed("chromium", "chromium-browser", "google-chrome")
	if program == "" {
		t.Fatal("this test needs Chromium or Chrome; on Debian: apt-get install chromium")
	}
	opts := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(program), chromedp.UserDataDir(t.TempDir()), chromedp.WindowSize(1280, 900),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true))
	if os.Geteuid() == 0 {
		// Chromium's sandbox does not work for root.
		opts = append(opts, chromedp.NoSandbox)
	}
	ctx, cancel := chromedp.NewExecAllocator(t.Context(), opts...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	ctx, cancel = context.WithTimeout(ctx, 5*time.Minute)
	t.Cleanup(cancel)
	var mu sync.Mutex
	var list []string
	complain := func(text string) {
		mu.Lock()
		defer mu.Unlock()
		list = append(list, text)
	}
	chromedp.ListenTarget(ctx, func(event any) {
		switch e := event.(type) {
		case *runtime.EventExceptionThrown:
			complain(e.ExceptionDetails.Error())
		case *runtime.EventConsoleAPICalled:
			if e.Type == runtime.APITypeError || e.Type == runtime.APITypeWarning {
				complain(fmt.Sprint(e.Type, e.Args))
			}
		case *log.EventEntryAdded:
			complain(e.Entry.Text + " " + e.Entry.URL)
		}
	})
	return ctx, func() []string {
		mu.Lock()
		defer mu.Unlock()
		return list
	}
}

// installed returns the first program that is installed.
func installed(names ...string) string {
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}

// run does steps in the browser.
func run(ctx context.Context, t *testing.T, what string, steps ...chromedp.Action) {
	t.Helper()
	if err := chromedp.Run(ctx, steps...); err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}

// until waits for an expression to be true.
func until(expression string) chromedp.Action {
	return chromedp.Poll(expression, nil, chromedp.WithPollingTimeout(20*time.Second))
}

// clearSearch empties the field as its cross does.
func clearSearch() chromedp.Action {
	return chromedp.Evaluate(`document.querySelector('#search').value = ''; document.querySelector('#search').dispatchEvent(new Event('input'))`, nil)
}

const shown = `document.querySelectorAll('#rows tr').length`

func TestPage(t *testing.T) {
	address, prom := start(t)
	ctx, complaints := browser(t)

	run(ctx, t, "listen", log.Enable())
	// Other tests run beside this one: the best of some loads tells what the page takes.
	paints := make([]float64, 3)
	for i := range paints {
		// An empty page between the loads, so that each is one.
		run(ctx, t, "open", chromedp.Navigate("about:blank"), chromedp.Navigate(address), until(shown+` === 1000`),
			chromedp.Evaluate(`performance.getEntriesByName('first-contentful-paint')[0].startTime`, &paints[i]))
	}
	t.Logf("first paints after %.0f ms", paints)
	if best := slices.Min(paints); best >= 1000 {
		t.Errorf("the first paint with %d triggers takes %.0f ms, want less than a second", triggers, best)
	}
	var summary string
	run(ctx, t, "summary", chromedp.Text("#summary", &summary))
	if !strings.HasPrefix(summary, "1000 triggers, 1 unhealthy") {
		t.Errorf("the summary says %q", summary)
	}

	t.Run("find", func(t *testing.T) { find(ctx, t) })
	t.Run("sort", func(t *testing.T) { order(ctx, t) })
	t.Run("by keyboard", func(t *testing.T) { byKeyboard(ctx, t) })
	t.Run("live", func(t *testing.T) { live(ctx, t, prom) })
	t.Run("phone", func(t *testing.T) { phone(ctx, t, address) })
	t.Run("unknown", func(t *testing.T) {
		run(ctx, t, "open what is not there", chromedp.Navigate(address+"#/nobody/nothing"), until(`document.querySelector('#detail').textContent.includes('KEDA has not asked for nobody/nothing')`))
	})
	t.Run("malformed", func(t *testing.T) {
		run(ctx, t, "open what cannot be decoded", chromedp.Navigate(address+"#/%/x"), until(`!document.querySelector('#list').hidden`))
	})
	if *picture != "" {
		write(ctx, t, address)
	}
	for _, c := range complaints() {
		// Asking for what is not there is meant to be a 404.
		if !strings.Contains(c, "404") || !strings.Contains(c, "nobody/nothing") {
			t.Errorf("the browser complains: %s", c)
		}
	}
}

func find(ctx context.Context, t *testing.T) {
	var name string
	run(ctx, t, "search",
		chromedp.SendKeys("#search", "worker-0042"), until(shown+` === 1`), chromedp.Text("#rows .name", &name),
		clearSearch(), chromedp.SendKeys("#search", "team-03 "), until(shown+` === 50`),
		chromedp.SendKeys("#search", "nonsense"), until(`!document.querySelector('#empty').hidden`),
		clearSearch(), until(shown+` === 1000`))
	if name != "worker-0042" {
		t.Errorf("found %q", name)
	}
	run(ctx, t, "only unhealthy",
		chromedp.Click("#unhealthy"), until(shown+` === 1`), chromedp.Text("#rows .name", &name),
		chromedp.Click("#unhealthy"), until(shown+` === 1000`))
	if name != "worker-0999" {
		t.Errorf("unhealthy is %q, want the one without data", name)
	}
}

func order(ctx context.Context, t *testing.T) {
	// yields are those of the rows from above, the ones without last.
	const yields = `[...document.querySelectorAll('#rows tr td:nth-child(2) .num')].map((e) => parseFloat(e.textContent)).map((v) => isNaN(v) ? 2 : v)`
	var up, down []float64
	run(ctx, t, "sort",
		chromedp.Click(`[data-sort="yield"]`), chromedp.Evaluate(yields, &up),
		chromedp.Click(`[data-sort="yield"]`), chromedp.Evaluate(yields, &down),
		chromedp.Click(`[data-sort="name"]`))
	if len(up) != triggers || len(down) != triggers {
		t.Fatalf("%d and %d rows", len(up), len(down))
	}
	for i := 1; i < triggers; i++ {
		if up[i] < up[i-1] || down[i] > down[i-1] {
			t.Fatalf("row %d is out of order: %v after %v, or %v after %v", i, up[i], up[i-1], down[i], down[i-1])
		}
	}
}

// byKeyboard searches, opens a trigger and comes back without a mouse.
func byKeyboard(ctx context.Context, t *testing.T) {
	var focused, title string
	run(ctx, t, "keyboard",
		chromedp.Evaluate(`document.activeElement.blur()`, nil),
		input.DispatchKeyEvent(input.KeyDown).WithKey("/").WithText("/"), chromedp.Evaluate(`document.activeElement.id`, &focused),
		chromedp.KeyEvent("worker-0007"), until(shown+` === 1`))
	if focused != "search" {
		t.Fatalf("/ leads to %q", focused)
	}
	for range 10 {
		run(ctx, t, "tab", chromedp.KeyEvent(kb.Tab), chromedp.Evaluate(`document.activeElement.textContent.trim()`, &focused))
		if focused == "worker-0007" {
			break
		}
	}
	run(ctx, t, "open",
		chromedp.KeyEvent(kb.Enter), chromedp.WaitVisible("#detail article .chart"), chromedp.Title(&title),
		until(`document.querySelectorAll('#detail .chart .yield').length === 1 && document.querySelector('#detail .chart .yield').getAttribute('d').length > 100`),
		chromedp.KeyEvent(kb.Escape), chromedp.WaitVisible("#triggers"),
		clearSearch())
	if title != "team-07/worker-0007 · zmy-scaler" {
		t.Errorf("the title is %q", title)
	}
}

// live changes a yield, which the page must show without being loaded again.
func live(ctx context.Context, t *testing.T, prom *promquerytest.Server) {
	run(ctx, t, "mark", chromedp.Evaluate(`window.notLoadedAgain = true`, nil),
		chromedp.SendKeys("#search", "worker-0999"), until(shown+` === 1`))
	prom.Load(time.Now().Add(-10*time.Second), time.Second, `zmy{job="worker-0999"} 0.625x60`)
	run(ctx, t, "wait for the yield",
		chromedp.Poll(`window.notLoadedAgain && document.querySelector('#rows td:nth-child(2) .num').textContent === '0.625'`, nil, chromedp.WithPollingTimeout(50*time.Second)),
		until(`document.querySelector('#summary').textContent.startsWith('1000 triggers, 0 unhealthy')`))
}

// phone looks at both views on a small screen in the dark.
func phone(ctx context.Context, t *testing.T, address string) {
	var list, detail float64
	var paper string
	const width = `document.documentElement.scrollWidth`
	run(ctx, t, "phone",
		chromedp.EmulateViewport(390, 844),
		emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: "dark"}}),
		chromedp.Navigate(address+"#/"), chromedp.WaitVisible("#rows tr"), chromedp.Evaluate(width, &list),
		chromedp.Evaluate(`getComputedStyle(document.body).backgroundColor`, &paper),
		chromedp.Navigate(address+"#/team-07/worker-0007"), chromedp.WaitVisible("#detail article .chart"), chromedp.Evaluate(width, &detail))
	if list > 390 || detail > 390 {
		t.Errorf("the list is %.0f wide and the detail %.0f, on a screen of 390", list, detail)
	}
	if paper != "rgb(16, 24, 28)" {
		t.Errorf("in the dark the paper is %s", paper)
	}
	run(ctx, t, "back to the desk", chromedp.EmulateViewport(1280, 900), emulation.SetEmulatedMedia(), chromedp.Navigate(address+"#/"))
}

func write(ctx context.Context, t *testing.T, address string) {
	var png []byte
	run(ctx, t, "picture", chromedp.EmulateViewport(1280, 860),
		chromedp.Navigate(address+"#/team-07/worker-0007"), chromedp.WaitVisible("#detail article .chart"), chromedp.CaptureScreenshot(&png))
	if err := os.WriteFile(filepath.Clean(*picture), png, 0o644); err != nil {
		t.Fatal(err)
	}
}
