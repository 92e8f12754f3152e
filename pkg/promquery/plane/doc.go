// Package plane answers thousands of queries by a handful of requests, and keeps
// what is wrong with one query from all others.
//
// A [Plane] belongs to one source. A round gives it every query that is wanted,
// at which instants, and for whom; package plan says what can be asked together.
// When a request for many fails, its members are asked in ever smaller parts
// until the one at fault is found: that one is asked alone from then on, and
// seldom while it goes on failing. When everything fails it is the source, and
// nothing but one probe an interval is sent until it answers.
package plane
