// Package grpcserver speaks KEDA's external-scaler protocol: it turns calls into
// questions to the engine, and the engine's answers into messages and status
// codes.
package grpcserver
