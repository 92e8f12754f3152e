// Package demo shows the scaler at work on one machine, in one process, faster
// than the clock.
//
// What decides is the real thing: the scaler as it serves production, asked over
// gRPC with KEDA's own stubs, and a real Prometheus engine that it queries over
// HTTP. What is simulated stands around it: fleets of workers with different
// demands, and stand-ins for what KEDA and the HPA do with the answers. All of
// them live by one clock, which runs faster than the wall's.
package demo
