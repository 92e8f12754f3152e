package lint

import (
	"fmt"
	"strings"
)

// Reference returns the rules as Markdown: a table of all, then one section each.
func Reference() string {
	var b strings.Builder
	b.WriteString("| id | severity | finds |\n| --- | --- | --- |\n")
	for _, r := range Rules() {
		fmt.Fprintf(&b, "| [%s](#%s) | %s | %s |\n", r.ID, r.ID, r.Severity, r.Title)
	}
	for _, r := range Rules() {
		fmt.Fprintf(&b, "\n## %s\n\nSeverity: %s. Finds %s.\n\n%s\n\n**Fix.** %s\n", r.ID, r.Severity, r.Title, r.Reason, r.Fix)
	}
	return b.String()
}
