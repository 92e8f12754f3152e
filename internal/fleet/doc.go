// Package fleet simulates fleets of workers: a demand that changes over time,
// workers that take a while to start, and work that waits when there are too few
// of them. The demo, replays and end-to-end tests scale such fleets.
//
// A fleet is deterministic: the same configuration and the same steps give the
// same readings. It reads no clock; time enters through [Fleet.Step] only. Work
// is conserved: what arrives is either done or waits.
//
// A fleet publishes these metrics, all of them gauges:
//
//	zmy               idle share of the ready workers; absent without any
//	worker_cpu_ratio  CPU used over CPU requested; absent without ready workers
//	workers_ready     workers that are able to work
//	workers_spec      workers that are wanted
//	queue_waiting     tasks that wait for a worker
package fleet
