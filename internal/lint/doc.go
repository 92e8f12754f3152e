// Package lint finds what is wrong with the triggers in manifests, and what is
// valid and rarely meant: the traps that lie between a trigger, KEDA and the HPA.
// One table, [Rules], says what is looked for; findings, the reference and the
// rules in SARIF all come from it.
package lint
