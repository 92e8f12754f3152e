package stage

import (
	"strings"
	"testing"
)

func TestShorten(t *testing.T) {
	t.Parallel()
	short := strings.Repeat("a\n", maxReport-1)
	if got := shorten(short); got != short {
		t.Errorf("%d lines become %d", maxReport-1, strings.Count(got, "\n"))
	}
	got := shorten("first\n" + strings.Repeat("a\n", 5*maxReport) + "last\n")
	if n := strings.Count(got, "\n"); n > maxReport+1 || !strings.HasPrefix(got, "first\n") || !strings.HasSuffix(got, "last\n") ||
		!strings.Contains(got, " lines left out)\n") {
		t.Errorf("%d lines: %.20q ... %q", n, got, got[len(got)-20:])
	}
}
