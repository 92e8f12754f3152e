package introspect

import (
	"fmt"
	"net/http"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	zmyv1 "github.com/infra-arch/zmy-scaler/proto/zmy/v1"
)

// patience is how long a reader of a watch may take for an update.
const patience = 30 * time.Second

// maxWatchers is how many watches over HTTP are served at the same time.
const maxWatchers = 100

// Register adds the JSON API to a mux:
//
//	GET /api/v1/triggers                     zmy.v1.ListResponse
//	GET /api/v1/triggers?watch=true          zmy.v1.WatchResponse, as server-sent events
//	GET /api/v1/triggers/{namespace}/{name}  zmy.v1.ExplainResponse
//
// The parameters namespace and metric are those of the messages.
func (s *Service) Register(mux *http.ServeMux) {
	watchers := make(chan struct{}, maxWatchers)
	mux.HandleFunc("GET /api/v1/triggers", func(w http.ResponseWriter, r *http.Request) {
		namespace := r.URL.Query().Get("namespace")
		if watch := r.URL.Query().Get("watch"); watch != "" && watch != "false" && watch != "0" {
			select {
			case watchers <- struct{}{}:
				defer func() { <-watchers }()
				s.events(w, r, namespace)
			default:
				fail(w, status.Errorf(codes.ResourceExhausted, "more than %d watch already", maxWatchers))
			}
			return
		}
		answer, err := s.List(r.Context(), &zmyv1.ListRequest{Namespace: namespace})
		reply(w, answer, err)
	})
	mux.HandleFunc("GET /api/v1/triggers/{namespace}/{name}", func(w http.ResponseWriter, r *http.Request) {
		answer, err := s.Explain(r.Context(), &zmyv1.ExplainRequest{
			Namespace: r.PathValue("namespace"), Name: r.PathValue("name"), Metric: r.URL.Query().Get("metric"),
		})
		reply(w, answer, err)
	})
}

// events streams updates as server-sent events.
func (s *Service) events(w http.ResponseWriter, r *http.Request, namespace string) {
	flush := http.NewResponseController(w)
	header(w, "text/event-stream")
	// An error is that the reader has gone, which nobody is left to be told of.
	_ = s.watch(r.Context(), namespace, func(update *zmyv1.WatchResponse) error {
		body, err := JSON(update, "")
		if err != nil {
			return err
		}
		// A reader that takes nothing must not keep a place for ever.
		_ = flush.SetWriteDeadline(time.Now().Add(patience)) // only what is no connection cannot have one
		if _, err := fmt.Fprintf(w, "data: %s\n\n", body); err != nil {
			return err
		}
		return flush.Flush()
	})
}

func reply[M proto.Message](w http.ResponseWriter, m M, err error) {
	if err != nil {
		fail(w, err)
		return
	}
	body, err := JSON(m, "  ")
	if err != nil {
		fail(w, err)
		return
	}
	header(w, "application/json")
	// A reader that has gone needs no answer.
	_, _ = w.Write(append(body, '\n'))
}

// fail answers with an error's message as plain text.
func fail(w http.ResponseWriter, err error) {
	code := http.StatusInternalServerError
	switch status.Code(err) {
	case codes.NotFound:
		code = http.StatusNotFound
	case codes.ResourceExhausted:
		code = http.StatusTooManyRequests
	default:
	}
	http.Error(w, status.Convert(err).Message(), code)
}

func header(w http.ResponseWriter, contentType string) {
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
}
