// Package hpa compares our models of the HPA with Kubernetes' own code: its
// arithmetic in pkg/decision with the replica calculator, and its behavior in
// internal/autoscaler with the whole controller. It also feeds what the scaler
// would tell KEDA through the calculator. It has nothing but tests.
package hpa
