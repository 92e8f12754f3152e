// Package autoscaler models the two controllers that scale a fleet by what a
// scaler tells them: the HPA, with its behavior, and KEDA's scale loop, which
// takes fleets to zero and wakes them. The demo and the replay of history both
// drive it; e2e/hpa compares it with Kubernetes' own controller.
//
// Time enters as an argument. The models remember what the real ones remember.
package autoscaler
