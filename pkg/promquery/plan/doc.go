// Package plan turns many PromQL queries into few. Queries that are the same are
// asked once; queries that differ only in the value that one label must have are
// asked as one query for all the values, where that provably gives the same
// answers; the others travel together in tagged unions of bounded size.
//
// [Prepare] reads a query once. [Make] plans prepared queries: it parses nothing,
// does no I/O, and gives the same batches for the same queries in any order. A
// plan does not depend on when it is asked, so a batch serves instant queries and
// range queries alike.
package plan
