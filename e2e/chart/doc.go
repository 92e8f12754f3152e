// Package chart renders the Helm chart and judges it by Kubernetes' own code and
// by the scaler's: its pods by the restricted Pod Security Standard, its
// configuration by the scaler's reader, its admission policy by the API server's
// validation and evaluation. It has nothing but tests.
package chart
