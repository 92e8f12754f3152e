// Package manifest reads ScaledObjects from YAML as people write and store it:
// several documents in a file, Lists, files of a directory. It keeps the place
// of every value it reads, and fills in what KEDA and Kubernetes take for granted
// where a manifest is silent.
package manifest
