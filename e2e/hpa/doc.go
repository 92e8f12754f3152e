// Package hpa compares the model of the HPA in pkg/decision with Kubernetes' own
// replica calculator, and feeds what the scaler would tell KEDA through the
// latter. It has nothing but tests.
package hpa
