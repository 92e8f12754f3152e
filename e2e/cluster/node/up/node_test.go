package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/infra-arch/zmy-scaler/e2e/cluster"
	"github.com/infra-arch/zmy-scaler/e2e/internal/image"
	"github.com/infra-arch/zmy-scaler/e2e/internal/wait"
)

// helloVariable says where the program is that testdata/hello is built to; only a
// run of TestUp sets it.
const helloVariable = "UP_TEST_HELLO"

// hello is a pod of our own behind a Service.
const hello = `
apiVersion: v1
kind: Pod
metadata: {name: hello, namespace: default, labels: {app: hello}}
spec:
  automountServiceAccountToken: false
  containers:
  - name: hello
    image: e2e.invalid/hello:1
    imagePullPolicy: Never
    readinessProbe: {httpGet: {port: 8080, path: /}, periodSeconds: 1}
---
apiVersion: v1
kind: Service
metadata: {name: hello, namespace: default}
spec: {selector: {app: hello}, ports: [{port: 80, targetPort: 8080}]}
`

// TestOnNode is the half of TestUp that runs on the node.
func TestOnNode(t *testing.T) {
	program := os.Getenv(helloVariable)
	if program == "" {
		t.Skip("TestUp runs it, on a node")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	config, err := clientcmd.BuildConfigFromFlags("", os.Getenv("KUBECONFIG"))
	if err != nil {
		t.Fatal(err)
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	kedaReady(ctx, t, client)

	archive := filepath.Join(t.TempDir(), "hello.tar")
	if err := image.Write(archive, "e2e.invalid/hello:1", program, "hello"); err != nil {
		t.Fatal(err)
	}
	load := exec.CommandContext(ctx, "sh", "-c", os.Getenv("ZMY_E2E_LOAD")+` "$0"`, archive)
	if out, err := load.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	objects, err := cluster.NewObjects(config)
	if err != nil {
		t.Fatal(err)
	}
	if err := objects.ApplyText(ctx, "default", hello); err != nil {
		t.Fatal(err)
	}
	service, err := client.CoreV1().Services("default").Get(ctx, "hello", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, url := range []string{
		"http://" + service.Spec.ClusterIP,
		"http://hello.default.svc.cluster.local",
		"http://" + service.Spec.ClusterIP + "/ask/hello.default", // which the pod looks up, and finds itself
	} {
		if err := wait.Within(ctx, time.Minute, url, says(url, "hello")); err != nil {
			t.Error(err)
		}
	}
}

// kedaReady sees that KEDA's pods are ready and that there are external metrics.
func kedaReady(ctx context.Context, t *testing.T, client kubernetes.Interface) {
	t.Helper()
	pods, err := client.CoreV1().Pods("keda").List(ctx, metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	ready := map[string]bool{}
	for _, pod := range pods.Items {
		for _, c := range pod.Status.Conditions {
			if c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue {
				ready[pod.Labels["app"]] = true
			}
		}
	}
	for _, app := range []string{"keda-operator", "keda-metrics-apiserver", "keda-admission-webhooks"} {
		if !ready[app] {
			t.Errorf("%s is not ready, only %v", app, ready)
		}
	}
	known, err := client.Discovery().ServerResourcesForGroupVersion("external.metrics.k8s.io/v1beta1")
	if err != nil || len(known.APIResources) == 0 {
		t.Errorf("external metrics: %v, %v", known, err)
	}
}

// says reports whether a URL answers with a text.
func says(url, want string) func(context.Context) error {
	return func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
		defer cancel()
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
		if err != nil {
			return err
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			return err
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		if err != nil {
			return err
		}
		if got := strings.TrimSpace(string(body)); got != want {
			return fmt.Errorf("%s says %q, want %q", url, got, want)
		}
		return nil
	}
}
