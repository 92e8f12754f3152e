// Package promquery asks Prometheus, and whatever speaks its query API, for the
// samples that decisions rest on.
//
// A [Source] is one named server: it sends instant and range queries with
// explicit times and turns every kind of answer, usable or not, into points. A
// [Tracker] keeps the window of one query up to date on a [zmy.Grid]: filled by
// one range query, then grown by one instant query per interval. Missing data
// stays missing: no path in this package turns it into a number.
package promquery
