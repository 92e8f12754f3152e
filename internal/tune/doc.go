// Package tune searches the policy that suits a history: thresholds, delays,
// target, mode and the lookback of the yield. Policies are fitted to the first
// half of the history and judged on the second.
//
// KEDA's plain Prometheus trigger is searched as well, over targets, lookbacks
// and stabilization windows of the HPA, so that nobody is sold a scaler who does
// not need one.
//
// Nothing here depends on the time or the number of processors: the same input
// gives the same answer.
package tune
