package promembed_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/infra-arch/zmy-scaler/pkg/promquery/promembed"
	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
)

func open(t testing.TB, o promembed.Options) *promembed.Server {
	t.Helper()
	if o.Dir == "" {
		o.Dir = t.TempDir()
	}
	s, err := promembed.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// load stores zmy{a="b"} = 1, 2, 3 at 0, 15 and 30 s.
func load(t testing.TB, s *promembed.Server) {
	t.Helper()
	for i, v := range []float64{1, 2, 3} {
		sample := promembed.Sample{Labels: labels.FromStrings("__name__", "zmy", "a", "b"), T: time.Unix(int64(i)*15, 0), V: v}
		if err := s.Append(t.Context(), sample); err != nil {
			t.Fatal(err)
		}
	}
}

func get(t testing.TB, s http.Handler, path string, params url.Values) (int, string) {
	t.Helper()
	w := httptest.NewRecorder()
	s.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path+"?"+params.Encode(), nil))
	return w.Code, strings.TrimSpace(w.Body.String())
}

func TestAnswers(t *testing.T) {
	s := open(t, promembed.Options{Now: func() time.Time { return time.Unix(15, 0) }})
	load(t, s)
	h := &histogram.FloatHistogram{Count: 4, Sum: 5, PositiveSpans: []histogram.Span{{Length: 2}}, PositiveBuckets: []float64{3, 1}}
	if err := s.Append(t.Context(),
		promembed.Sample{Labels: labels.FromStrings("__name__", "h"), T: time.Unix(15, 0), H: h},
		promembed.Sample{Labels: labels.FromStrings("__name__", "nan"), T: time.Unix(15, 0), V: math.NaN()},
	); err != nil {
		t.Fatal(err)
	}
	const instant, span = "/api/v1/query", "/api/v1/query_range"
	tests := []struct {
		name   string
		path   string
		params url.Values
		status int
		want   string
	}{
		{
			name: "vector", path: instant, params: url.Values{"query": {"zmy"}, "time": {"30.5"}}, status: 200,
			want: `{"status":"success","data":{"resultType":"vector","result":[{"metric":{"__name__":"zmy","a":"b"},"value":[30.5,"3"]}]}}`,
		},
		{
			name: "the clock's time", path: instant, params: url.Values{"query": {"sum(zmy)"}}, status: 200,
			want: `{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[15,"2"]}]}}`,
		},
		{
			name: "RFC 3339", path: instant, params: url.Values{"query": {"time()"}, "time": {"1970-01-01T00:01:00Z"}}, status: 200,
			want: `{"status":"success","data":{"resultType":"scalar","result":[60,"60"]}}`,
		},
		{
			name: "empty vector", path: instant, params: url.Values{"query": {"none"}}, status: 200,
			want: `{"status":"success","data":{"resultType":"vector","result":[]}}`,
		},
		{
			name: "no numbers", path: instant, params: url.Values{"query": {`{__name__="nan"}`}}, status: 200,
			want: `{"status":"success","data":{"resultType":"vector","result":[{"metric":{"__name__":"nan"},"value":[15,"NaN"]}]}}`,
		},
		{
			name: "infinity", path: instant, params: url.Values{"query": {"1/0"}}, status: 200,
			want: `{"status":"success","data":{"resultType":"scalar","result":[15,"+Inf"]}}`,
		},
		{
			name: "string", path: instant, params: url.Values{"query": {`"a"`}}, status: 200,
			want: `{"status":"success","data":{"resultType":"string","result":[15,"a"]}}`,
		},
		{
			name: "histogram", path: instant, params: url.Values{"query": {"h"}}, status: 200,
			want: `{"status":"success","data":{"resultType":"vector","result":[{"metric":{"__name__":"h"},"histogram":[15,{"count":"4","sum":"5","buckets":[[0,"0.5","1","3"],[0,"1","2","1"]]}]}]}}`,
		},
		{
			name: "range vector", path: instant, params: url.Values{"query": {"zmy[20s]"}, "time": {"30"}}, status: 200,
			want: `{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"__name__":"zmy","a":"b"},"values":[[15,"2"],[30,"3"]]}]}}`,
		},
		{
			name: "matrix", path: span, params: url.Values{"query": {"zmy"}, "start": {"0"}, "end": {"30"}, "step": {"15s"}}, status: 200,
			want: `{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"__name__":"zmy","a":"b"},"values":[[0,"1"],[15,"2"],[30,"3"]]}]}}`,
		},
		{
			name: "empty matrix", path: span, params: url.Values{"query": {"none"}, "start": {"0"}, "end": {"30"}, "step": {"15"}}, status: 200,
			want: `{"status":"success","data":{"resultType":"matrix","result":[]}}`,
		},
		{name: "infos", path: instant, params: url.Values{"query": {"rate(zmy[1m])"}, "time": {"30"}}, status: 200, want: `"infos":["PromQL info: metric might not be a counter`},
		{name: "warnings", path: instant, params: url.Values{"query": {"quantile(2, zmy)"}}, status: 200, want: `"warnings":["PromQL warning: quantile value`},
		{name: "timeout kept", path: instant, params: url.Values{"query": {"zmy"}, "timeout": {"1m30s"}}, status: 200, want: `"success"`},
		{name: "ready", path: "/-/ready", status: 200, want: "ready"},
		{name: "elsewhere", path: "/api/v1/labels", status: 404, want: "not found"},

		{name: "no query", path: instant, status: 400, want: `{"status":"error","errorType":"bad_data","error":`},
		{name: "bad query", path: instant, params: url.Values{"query": {"1+"}}, status: 400, want: `"errorType":"bad_data"`},
		{name: "bad time", path: instant, params: url.Values{"query": {"1"}, "time": {"now"}}, status: 400, want: `time \"now\" is neither`},
		{name: "time out of range", path: instant, params: url.Values{"query": {"1"}, "time": {"1e300"}}, status: 400, want: "out of range"},
		{name: "time NaN", path: instant, params: url.Values{"query": {"1"}, "time": {"NaN"}}, status: 400, want: "out of range"},
		{name: "bad timeout", path: instant, params: url.Values{"query": {"1"}, "timeout": {"9.5s"}}, status: 400, want: `timeout \"9.5s\" is neither`},
		{name: "timeout out of range", path: instant, params: url.Values{"query": {"1"}, "timeout": {"1e300"}}, status: 400, want: "out of range"},
		{name: "no times", path: span, params: url.Values{"query": {"1"}}, status: 400, want: `start \"\" is neither`},
		{name: "backwards", path: span, params: url.Values{"query": {"1"}, "start": {"1"}, "end": {"0"}, "step": {"1"}}, status: 400, want: "end is before start"},
		{name: "no step", path: span, params: url.Values{"query": {"1"}, "start": {"0"}, "end": {"1"}, "step": {"0"}}, status: 400, want: "step must be above 0"},
		{name: "too many steps", path: span, params: url.Values{"query": {"1"}, "start": {"0"}, "end": {"11001"}, "step": {"1"}}, status: 400, want: "more than 11000 steps"},
		{name: "range of a string", path: span, params: url.Values{"query": {`"a"`}, "start": {"0"}, "end": {"1"}, "step": {"1"}}, status: 400, want: `"errorType":"bad_data"`},
		{name: "execution", path: instant, params: url.Values{"query": {"zmy * on() group_left zmy{x!='y'} + on(q) (zmy or label_replace(zmy,'a','c','',''))"}}, status: 422, want: `"errorType":"execution"`},
		{name: "timeout passed", path: instant, params: url.Values{"query": {"zmy"}, "timeout": {"0.000000001"}}, status: 503, want: `"errorType":"timeout"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			status, got := get(t, s, tt.path, tt.params)
			if status != tt.status || !strings.Contains(got, tt.want) {
				t.Errorf("status %d, %s\nwant %d, %s", status, got, tt.status, tt.want)
			}
			if strings.HasPrefix(tt.want, `{"status":"success"`) && got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

func TestPostForm(t *testing.T) {
	s := open(t, promembed.Options{})
	load(t, s)
	server := httptest.NewServer(s)
	defer server.Close()
	resp, err := server.Client().PostForm(server.URL+"/api/v1/query", url.Values{"query": {"sum(zmy)"}, "time": {"30"}})
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(resp.Body)
	if err = errors.Join(err, resp.Body.Close()); err != nil {
		t.Fatal(err)
	}
	if !json.Valid(body) || !strings.Contains(string(body), `[30,"3"]`) || resp.Header.Get("Content-Type") != "application/json" {
		t.Errorf("%s, %s", resp.Header.Get("Content-Type"), body)
	}
}

func TestLimits(t *testing.T) {
	s := open(t, promembed.Options{MaxSamples: 2, Lookback: 10 * time.Second})
	load(t, s)
	if status, body := get(t, s, "/api/v1/query", url.Values{"query": {"sum_over_time(zmy[1m])"}, "time": {"30"}}); status != 422 {
		t.Errorf("too many samples: %d, %s", status, body)
	}
	if _, body := get(t, s, "/api/v1/query", url.Values{"query": {"zmy"}, "time": {"41"}}); !strings.Contains(body, `"result":[]`) {
		t.Errorf("11 s after the newest sample: %s", body)
	}
}

func TestCanceledQuery(t *testing.T) {
	s := open(t, promembed.Options{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	w := httptest.NewRecorder()
	s.ServeHTTP(w, httptest.NewRequestWithContext(ctx, http.MethodGet, "/api/v1/query?query=zmy", nil))
	if w.Code != 499 || !strings.Contains(w.Body.String(), `"canceled"`) {
		t.Errorf("status %d, %s", w.Code, w.Body)
	}
}

func TestAppend(t *testing.T) {
	s := open(t, promembed.Options{})
	a := labels.FromStrings("__name__", "a")
	b := labels.FromStrings("__name__", "b")
	day := time.Unix(86400, 0)
	// Series may be loaded one after the other, whatever their length.
	for _, name := range []labels.Labels{a, b} {
		for _, at := range []time.Time{time.Unix(0, 0), day} {
			if err := s.Append(t.Context(), promembed.Sample{Labels: name, T: at, V: 1}); err != nil {
				t.Fatal(err)
			}
		}
	}
	err := s.Append(t.Context(),
		promembed.Sample{Labels: b, T: day.Add(time.Second), V: 2},
		promembed.Sample{Labels: a, T: time.Unix(1, 0), V: 2},
	)
	if err == nil || !strings.Contains(err.Error(), `append to {__name__="a"} at 1970-01-01 00:00:01`) {
		t.Errorf("a sample from the past: %v", err)
	}
	if _, body := get(t, s, "/api/v1/query", url.Values{"query": {"b"}, "time": {"86401"}}); !strings.Contains(body, `"1"`) {
		t.Errorf("a part of a refused batch was stored: %s", body)
	}
	c := labels.FromStrings("__name__", "c")
	err = s.Append(t.Context(), promembed.Sample{Labels: c, T: day, V: 1}, promembed.Sample{Labels: c, T: day, V: 2})
	if !errors.Is(err, storage.ErrOutOfOrderSample) {
		t.Errorf("two samples at one time: %v", err)
	}
	if err := s.Truncate(day); err != nil {
		t.Error(err)
	}
	if _, body := get(t, s, "/api/v1/query", url.Values{"query": {"a"}, "time": {"86400"}}); !strings.Contains(body, `"1"`) {
		t.Errorf("the newest sample was forgotten: %s", body)
	}
}

func TestConcurrentUse(t *testing.T) {
	s := open(t, promembed.Options{})
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			name := labels.FromStrings("__name__", "zmy", "i", fmt.Sprint(i))
			for k := range 100 {
				if err := s.Append(t.Context(), promembed.Sample{Labels: name, T: time.Unix(int64(k), 0), V: 1}); err != nil {
					t.Error(err)
				}
				get(t, s, "/api/v1/query", url.Values{"query": {"sum(zmy)"}, "time": {fmt.Sprint(k)}})
			}
		})
	}
	wg.Wait()
	if _, body := get(t, s, "/api/v1/query", url.Values{"query": {"sum(sum_over_time(zmy[2m]))"}, "time": {"100"}}); !strings.Contains(body, `"400"`) {
		t.Errorf("after all: %s", body)
	}
}

func TestClose(t *testing.T) {
	dir := t.TempDir()
	s, err := promembed.Open(promembed.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	load(t, s)
	for range 2 {
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	if err := s.Append(t.Context()); !errors.Is(err, promembed.ErrClosed) {
		t.Errorf("append after close: %v", err)
	}
	if err := s.Truncate(time.Unix(0, 0)); !errors.Is(err, promembed.ErrClosed) {
		t.Errorf("truncate after close: %v", err)
	}
	if status, body := get(t, s, "/api/v1/query", url.Values{"query": {"zmy"}}); status != 500 || !strings.Contains(body, `"internal"`) {
		t.Errorf("query after close: %d, %s", status, body)
	}
}

func TestOpenFails(t *testing.T) {
	if _, err := promembed.Open(promembed.Options{Dir: filepath.Join(t.TempDir(), "none")}); err == nil {
		t.Error("opened in a directory that is not there")
	}
}

// FuzzHandler checks that no parameters bring the handler down and that every
// answer is JSON.
func FuzzHandler(f *testing.F) {
	f.Add("zmy", "0", "30", "15s", "1m")
	f.Add("zmy[5m:1m] @ end()", "NaN", "1e19", "-1", "")
	f.Add("1+", "1970-01-01T00:00:00Z", "", "1y", "0")
	s := open(f, promembed.Options{Timeout: time.Second, MaxSamples: 1000})
	load(f, s)
	f.Fuzz(func(t *testing.T, query, start, end, step, timeout string) {
		for path, params := range map[string]url.Values{
			"/api/v1/query":       {"query": {query}, "time": {start}, "timeout": {timeout}},
			"/api/v1/query_range": {"query": {query}, "start": {start}, "end": {end}, "step": {step}, "timeout": {timeout}},
		} {
			status, body := get(t, s, path, params)
			var got struct{ Status string }
			if err := json.Unmarshal([]byte(body), &got); err != nil {
				t.Fatalf("%v: %s", err, body)
			}
			if diff := cmp.Diff(status == http.StatusOK, got.Status == "success"); diff != "" {
				t.Fatalf("status %d, %s", status, body)
			}
		}
	})
}
