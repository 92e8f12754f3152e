package trigger

import (
	"fmt"
	"strings"
)

// Fault is one thing that is wrong with a trigger.
type Fault struct {
	// Key is the key as it was given, or the missing one.
	Key string
	// Value is what was given; empty for a missing key, and for one that
	// looks like a secret.
	Value string
	// Problem says what would be right.
	Problem string
}

// String returns the key, its value and what would be right.
func (f Fault) String() string {
	if f.Value == "" {
		return f.Key + ": " + f.Problem
	}
	value := f.Value
	if len(value) > mostShown {
		value = strings.ToValidUTF8(value[:mostShown], "") + "..."
	}
	return fmt.Sprintf("%s %q: %s", f.Key, value, f.Problem)
}

// mostShown is how much of a value is repeated in a message, in bytes.
const mostShown = 1024

// Faults is everything that is wrong with a trigger.
type Faults []Fault

// Error returns all faults in one line.
func (fs Faults) Error() string {
	lines := make([]string, len(fs))
	for i, f := range fs {
		lines[i] = f.String()
	}
	return strings.Join(lines, "; ")
}

// suspicious holds parts of names that people give to secrets.
func suspicious() []string {
	return []string{
		"password", "passwd", "passphrase", "secret", "token", "credential", "apikey", "api_key", "api-key",
		"accesskey", "access_key", "privatekey", "private_key", "clientkey", "client_key", "bearer",
		"authorization", "connectionstring", "basicauth", "username",
	}
}

// looksSecret reports whether a key's name says that its value is a secret.
func looksSecret(key string) bool {
	lower := strings.ToLower(key)
	for _, part := range suspicious() {
		if strings.Contains(lower, part) {
			return true
		}
	}
	return false
}

// nearest returns the known key with the fewest edits to name, case aside.
func nearest(name string, keys []Key) string {
	best, fewest := "", -1
	for _, k := range keys {
		if n := edits(strings.ToLower(name), strings.ToLower(k.Name)); fewest < 0 || n < fewest {
			best, fewest = k.Name, n
		}
	}
	return best
}

// edits returns the Levenshtein distance of two strings.
func edits(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
