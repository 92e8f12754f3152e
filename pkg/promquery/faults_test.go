package promquery_test

import (
	"context"
	"errors"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/infra-arch/zmy-scaler/pkg/promquery"
	"github.com/infra-arch/zmy-scaler/pkg/promquery/promquerytest"
	"github.com/prometheus/common/config"
)

// wantKind fails the test unless err is an Error of the kind about the query
// "zmy" of the source "default" that tells no secrets.
func wantKind(t *testing.T, err error, kind promquery.Kind) {
	t.Helper()
	e, ok := errors.AsType[*promquery.Error](err)
	if !ok {
		t.Fatalf("error %v of type %T, want an Error", err, err)
	}
	if e.Kind != kind || e.Source != "default" || e.Query != "zmy" || e.Unwrap() == nil {
		t.Errorf("error %+v, want the kind %v", e, kind)
	}
	for _, secret := range []string{password, "http://", "https://", "/api/v1", "127.0.0.1", ".invalid"} {
		if strings.Contains(err.Error(), secret) {
			t.Errorf("error %q tells %q", err, secret)
		}
	}
}

func TestErrorStatus(t *testing.T) {
	tests := []struct {
		name   string
		status int
		body   string
		kind   promquery.Kind
		want   string
	}{
		{name: "bad data", status: 400, body: `{"status":"error","errorType":"bad_data","error":"1:2: parse error"}`, kind: promquery.KindBadQuery, want: "1:2: parse error"},
		{name: "execution", status: 422, body: `{"status":"error","errorType":"execution","error":"too many samples"}`, kind: promquery.KindExecution, want: "too many samples"},
		{name: "timeout there", status: 503, body: `{"status":"error","errorType":"timeout","error":"query timed out"}`, kind: promquery.KindTimeout, want: "query timed out"},
		{name: "canceled there", status: 499, body: `{"status":"error","errorType":"canceled","error":"shutting down"}`, kind: promquery.KindExecution, want: "shutting down"},
		{name: "internal", status: 500, body: `{"status":"error","errorType":"internal","error":"head is closed"}`, kind: promquery.KindServer, want: "head is closed"},
		{name: "error with status 200", status: 200, body: `{"status":"error","errorType":"timeout","error":"late"}`, kind: promquery.KindTimeout, want: "late"},
		{name: "bad response", status: 200, body: `{"status":"error","errorType":"bad_response","error":"odd"}`, kind: promquery.KindGarbage, want: "odd"},
		{name: "error without words", status: 200, body: `{"status":"error"}`, kind: promquery.KindServer, want: "server_error"},
		{name: "long words", status: 500, body: `{"status":"error","error":"` + strings.Repeat("é", 1000) + `\n"}`, kind: promquery.KindServer, want: "é…"},
		{name: "HTML", status: 502, body: "<html>Bad Gateway</html>", kind: promquery.KindServer, want: "server_error (HTTP status 502): Bad Gateway"},
		{name: "unavailable", status: 503, kind: promquery.KindServer, want: "Service Unavailable"},
		{name: "not found", status: 404, kind: promquery.KindServer, want: "no query API below the source's url"},
		{name: "unauthorized", status: 401, body: password, kind: promquery.KindAuth, want: "auth (HTTP status 401)"},
		{name: "forbidden", status: 403, kind: promquery.KindAuth, want: "Forbidden"},
		{name: "unheard of", status: 599, kind: promquery.KindServer, want: "unknown status"},
		{name: "not modified", status: 304, kind: promquery.KindServer, want: "Not Modified"},
		{name: "no content", status: 204, kind: promquery.KindGarbage, want: "not the JSON"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newSource(t, "http://p", promquery.WithTransport(says(tt.status, []byte(tt.body))))
			_, err := s.Instant(t.Context(), "zmy", time.Unix(0, 0))
			wantKind(t, err, tt.kind)
			if !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "<html>") {
				t.Errorf("error %q, want %q", err, tt.want)
			}
			_, err = s.Range(t.Context(), "zmy", time.Unix(0, 0), time.Unix(0, 0), time.Second)
			wantKind(t, err, tt.kind)
		})
	}
}

func TestRefusedPostFallsBackToGet(t *testing.T) {
	s := promquerytest.New(t, "load 15s\n zmy 0.5x4")
	back, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	proxy := proxyTo(back)
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet {
			w.WriteHeader(http.StatusMethodNotAllowed)
			return
		}
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(front.Close)
	got, err := newSource(t, front.URL).Instant(soon(t), "zmy", time.Unix(15, 0))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]promquery.Point{good(0.5)}, got.Points); diff != "" {
		t.Errorf("points (-want +got):\n%s", diff)
	}
}

func TestRedirects(t *testing.T) {
	tests := []struct {
		name   string
		target string // "" for the same host
		status int
		follow bool
		want   string // "" when the request succeeds
	}{
		{name: "same host", status: http.StatusTemporaryRedirect, follow: true},
		{name: "other host", target: "http://other:9090/x", status: http.StatusPermanentRedirect, follow: true, want: `to another host, "other:9090"`},
		{name: "other scheme", target: "ftp", status: http.StatusTemporaryRedirect, follow: true, want: "unsupported protocol scheme"},
		{name: "query lost", status: http.StatusFound, follow: true, want: "drops the query"},
		{name: "switched off", status: http.StatusTemporaryRedirect, want: "switched off"},
		{name: "loop", target: "loop", status: http.StatusTemporaryRedirect, follow: true, want: "more than 5 times"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := promquerytest.New(t, "load 15s\n zmy 0.5x4")
			mux := http.NewServeMux()
			mux.Handle("/", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				target := tt.target
				switch target {
				case "":
					target = "/real" + r.URL.Path
				case "loop":
					target = r.URL.Path
				case "ftp":
					target = "ftp://" + r.Host
				}
				http.Redirect(w, r, target, tt.status)
			}))
			front := httptest.NewServer(mux)
			t.Cleanup(front.Close)
			back, err := url.Parse(s.URL)
			if err != nil {
				t.Fatal(err)
			}
			mux.Handle("/real/", http.StripPrefix("/real", proxyTo(back)))
			cfg := promquery.NewSourceConfig("default", front.URL)
			cfg.HTTP.FollowRedirects = tt.follow
			_, err = openSource(t, cfg).Instant(soon(t), "zmy", time.Unix(15, 0))
			if tt.want == "" {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %q", err, tt.want)
			}
			if tt.target != "ftp" {
				wantKind(t, err, promquery.KindRedirect)
			}
		})
	}
}

func TestFromHTTPSToHTTP(t *testing.T) {
	front := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "http://"+r.Host+"/x", http.StatusTemporaryRedirect)
	}))
	t.Cleanup(front.Close)
	cfg := promquery.NewSourceConfig("default", front.URL)
	cfg.HTTP.TLSConfig.InsecureSkipVerify = true
	_, err := openSource(t, cfg).Instant(soon(t), "zmy", time.Unix(15, 0))
	if e, ok := errors.AsType[*promquery.Error](err); !ok || e.Kind != promquery.KindRedirect || !strings.Contains(err.Error(), "from https to http") {
		t.Errorf("error %v", err)
	}
}

func TestResponseLimit(t *testing.T) {
	body := []byte(answer("vector", `[]`, `,"infos":["`+strings.Repeat("x", 2000)+`"]`))
	at := int64(len(body))
	for _, tt := range []struct {
		name  string
		limit int64
		fail  bool
	}{
		{name: "at the limit", limit: at},
		{name: "above", limit: at - 1, fail: true},
		{name: "far above", limit: 10, fail: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newSource(t, "http://p", promquery.WithTransport(says(200, body)), promquery.WithResponseLimit(tt.limit))
			_, err := s.Instant(t.Context(), "zmy", time.Unix(0, 0))
			if !tt.fail {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			wantKind(t, err, promquery.KindTooLarge)
		})
	}
}

func TestUnreachable(t *testing.T) {
	s := promquerytest.New(t, "")
	src := newSource(t, s.URL)
	s.Down()
	_, err := src.Instant(soon(t), "zmy", time.Unix(0, 0))
	wantKind(t, err, promquery.KindUnreachable)

	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	_, err = newSource(t, gone.URL).Instant(soon(t), "zmy", time.Unix(0, 0))
	wantKind(t, err, promquery.KindUnreachable)

	s.Handle(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "1000")
		_, _ = w.Write([]byte(`{"status":"success"`))
	}))
	_, err = src.Instant(soon(t), "zmy", time.Unix(0, 0))
	wantKind(t, err, promquery.KindUnreachable)
}

func TestUnreadableSecret(t *testing.T) {
	cfg := promquery.NewSourceConfig("default", "http://p")
	cfg.HTTP.Authorization = &config.Authorization{Type: "Bearer", CredentialsFile: t.TempDir() + "/none"}
	_, err := openSource(t, cfg).Instant(soon(t), "zmy", time.Unix(0, 0))
	wantKind(t, err, promquery.KindAuth)
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v, want the missing file in it", err)
	}
	cfg.HTTP = config.HTTPClientConfig{TLSConfig: config.TLSConfig{CAFile: t.TempDir() + "/none"}}
	if _, err := promquery.NewSource(cfg); err == nil {
		t.Error("NewSource took a CA file that is not there")
	}
}

// observations collects what an Observer is told.
type observations struct {
	mu   sync.Mutex
	list []string
}

func (o *observations) observe(source string, result promquery.Kind, _ time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.list = append(o.list, source+" "+result.String())
}

func TestTimeoutAndCancel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var seen observations
		var params []string
		hang := roundTripper(func(r *http.Request) (*http.Response, error) {
			params = append(params, form(t, r).Get("timeout"))
			<-r.Context().Done()
			return nil, r.Context().Err()
		})
		s := newSource(t, "http://p", promquery.WithTransport(hang), promquery.WithObserver(seen.observe))
		ctx, cancel := context.WithTimeout(t.Context(), 9*time.Second+time.Nanosecond)
		defer cancel()
		began := time.Now()
		_, err := s.Instant(ctx, "zmy", time.Unix(0, 0))
		wantKind(t, err, promquery.KindTimeout)
		if took := time.Since(began); took != 9*time.Second+time.Nanosecond {
			t.Errorf("gave up after %v", took)
		}
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v is no deadline", err)
		}
		synctest.Wait()

		ctx, cancel = context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		_, err = s.Instant(ctx, "zmy", time.Unix(0, 0))
		wantKind(t, err, promquery.KindCanceled)
		_, err = s.Instant(ctx, "zmy", time.Unix(0, 0))
		wantKind(t, err, promquery.KindCanceled)
		synctest.Wait()

		if diff := cmp.Diff([]string{"10s", ""}, params); diff != "" {
			t.Errorf("timeout parameters (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff([]string{"default timeout", "default canceled", "default canceled"}, seen.list); diff != "" {
			t.Errorf("observed (-want +got):\n%s", diff)
		}
	})
}

// TestDeafTransport is about a transport that ignores its context, as fetching
// an OAuth 2 token does: the caller must come back, and the slot only when the
// transport does.
func TestDeafTransport(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		deaf := roundTripper(func(r *http.Request) (*http.Response, error) {
			<-release
			return says(200, []byte(result("vector", "[]")))(r)
		})
		cfg := promquery.NewSourceConfig("default", "http://p")
		cfg.MaxConcurrency = 1
		s := openSource(t, cfg, promquery.WithTransport(deaf))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := s.Instant(ctx, "zmy", time.Unix(0, 0))
		wantKind(t, err, promquery.KindTimeout)

		ctx, cancel = context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err = s.Instant(ctx, "zmy", time.Unix(0, 0))
		wantKind(t, err, promquery.KindTimeout)
		if !strings.Contains(err.Error(), "waiting for one of 1 slots") {
			t.Errorf("error %v", err)
		}
		close(release)
		synctest.Wait()
		if _, err := s.Instant(t.Context(), "zmy", time.Unix(0, 0)); err != nil {
			t.Errorf("after the release: %v", err)
		}
	})
}

func TestConcurrencyLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var now, most int
		release := make(chan struct{})
		slow := roundTripper(func(r *http.Request) (*http.Response, error) {
			mu.Lock()
			now++
			most = max(most, now)
			mu.Unlock()
			<-release
			mu.Lock()
			now--
			mu.Unlock()
			return says(200, []byte(result("vector", "[]")))(r)
		})
		var seen observations
		cfg := promquery.NewSourceConfig("default", "http://p")
		cfg.MaxConcurrency = 3
		s := openSource(t, cfg, promquery.WithTransport(slow), promquery.WithObserver(seen.observe))
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				if _, err := s.Instant(t.Context(), "zmy", time.Unix(0, 0)); err != nil {
					t.Error(err)
				}
			})
		}
		synctest.Wait()
		if now != 3 {
			t.Errorf("%d requests under way, want 3", now)
		}
		close(release)
		wg.Wait()
		if most != 3 || len(seen.list) != 20 {
			t.Errorf("at most %d at once, %d observed", most, len(seen.list))
		}
	})
}
