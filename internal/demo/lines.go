package demo

import (
	"fmt"
	"io"
	"sync/atomic"
)

// lineWriter prints one line for every change.
type lineWriter struct {
	out io.Writer
	err atomic.Pointer[error] // the first failure
}

func (w *lineWriter) tell(e entry) {
	if _, err := fmt.Fprintln(w.out, e); err != nil {
		w.err.CompareAndSwap(nil, &err)
	}
}

// failure returns why lines could not be printed, if they could not. A nil
// writer has not failed.
func (w *lineWriter) failure() error {
	if w == nil {
		return nil
	}
	if err := w.err.Load(); err != nil {
		return *err
	}
	return nil
}

// write says what is about to be shown, ahead of the lines.
func (h header) write(out io.Writer) error {
	_, err := fmt.Fprintf(out, "Watch it at http://%s/ (KEDA's calls go to %s). Demo time runs at %g × the clock's speed; Ctrl-C stops it.\n\n", h.http, h.grpc, h.speed)
	return err
}
