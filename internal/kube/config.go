package kube

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// The modes of [Config].
const (
	// ModeAuto uses Kubernetes where it can be found.
	ModeAuto = "auto"
	// ModeOff does not use Kubernetes.
	ModeOff = "off"
)

// ErrMode reports a mode that is neither [ModeAuto] nor [ModeOff].
var ErrMode = errors.New("unknown kubernetes mode")

// Client-side limits. Watches cost one request each and most answers come from
// memory, so that these only bound a burst of custom targets.
const (
	clientQPS   = 50
	clientBurst = 100
	userAgent   = "zmy-scaler"
)

// Config returns how to reach the API server: by the given kubeconfig file, else
// as a pod of the cluster, else by the files in $KUBECONFIG. A nil config without
// an error means that Kubernetes is off, either because the mode says so or
// because there is none to be found.
func Config(mode, kubeconfig string) (*rest.Config, error) {
	switch mode {
	case ModeOff:
		return nil, nil
	case ModeAuto:
	default:
		return nil, fmt.Errorf("%w %q: must be %q or %q", ErrMode, mode, ModeAuto, ModeOff)
	}
	cfg, err := find(kubeconfig)
	if err != nil || cfg == nil {
		return nil, err
	}
	cfg.QPS = clientQPS
	cfg.Burst = clientBurst
	cfg.UserAgent = userAgent
	// Deprecation warnings of the API server are for people with kubectl.
	cfg.WarningHandler = rest.NoWarnings{}
	return cfg, nil
}

// InPod reports whether this process runs in a pod.
func InPod() bool { return os.Getenv("KUBERNETES_SERVICE_HOST") != "" }

// find looks for a config in the order that Config documents.
func find(kubeconfig string) (*rest.Config, error) {
	if kubeconfig != "" {
		cfg, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
		if err != nil {
			return nil, fmt.Errorf("read kubeconfig %q: %w", kubeconfig, err)
		}
		return cfg, nil
	}
	cfg, err := rest.InClusterConfig()
	switch {
	case err == nil:
		return cfg, nil
	case errors.Is(err, rest.ErrNotInCluster), errors.Is(err, fs.ErrNotExist):
		// Not a pod, or a pod without a service account token.
	default:
		return nil, fmt.Errorf("read the in-cluster config: %w", err)
	}
	env := os.Getenv(clientcmd.RecommendedConfigPathEnvVar)
	if env == "" {
		return nil, nil
	}
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	cfg, err = clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, nil).ClientConfig()
	if err != nil {
		return nil, fmt.Errorf("read $%s %q: %w", clientcmd.RecommendedConfigPathEnvVar, env, err)
	}
	return cfg, nil
}
