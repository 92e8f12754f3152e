// Package events tells the owners of ScaledObjects what happens to their triggers,
// as Kubernetes Events: kubectl describe shows them below the object.
//
// Telling waits for nothing. A [Recorder] takes what it is told into a queue of
// bounded length and writes it when the API server lets it; what does not fit is
// dropped and counted. What is told too often is told less often.
//
// All replicas of the scaler see the same things happen, and write to one Event:
// its name follows from the object, the reason and what it is about, and it records
// when it last happened, so that only the first of them counts.
package events
