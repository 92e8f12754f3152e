// Package trigger reads the metadata of a KEDA trigger. One table, [Keys], says
// what may stand in it; parsing, hints for misspelt keys, the reference
// documentation and the JSON schema all come from it.
package trigger
