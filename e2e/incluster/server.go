package incluster

import (
	"context"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
)

// server is a program in a pod behind a Service of its name.
type server struct {
	name, image string
	args        []string
	port        int
	ready       string                         // the path that answers when it is
	volumes     map[string]corev1.VolumeSource // by where they are mounted
}

func (s server) labels() map[string]string { return map[string]string{"app": s.name} }

func (s server) deployment() *appsv1.Deployment {
	container := corev1.Container{
		Name: "server", Image: s.image, Args: s.args, ReadinessProbe: probe(s.ready, s.port), SecurityContext: restrictedContainer(),
	}
	pod := corev1.PodSpec{SecurityContext: restrictedPod(), AutomountServiceAccountToken: new(false), TerminationGracePeriodSeconds: new(int64(5))}
	for path, source := range s.volumes {
		name := strings.ReplaceAll(strings.Trim(path, "/"), "/", "-")
		pod.Volumes = append(pod.Volumes, corev1.Volume{Name: name, VolumeSource: source})
		container.VolumeMounts = append(container.VolumeMounts, corev1.VolumeMount{Name: name, MountPath: path})
	}
	pod.Containers = []corev1.Container{container}
	return &appsv1.Deployment{
		TypeMeta:   metav1.TypeMeta{APIVersion: "apps/v1", Kind: "Deployment"},
		ObjectMeta: metav1.ObjectMeta{Name: s.name},
		Spec: appsv1.DeploymentSpec{
			Replicas: new(int32(1)),
			Strategy: appsv1.DeploymentStrategy{Type: appsv1.RecreateDeploymentStrategyType},
			Selector: &metav1.LabelSelector{MatchLabels: s.labels()},
			Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: s.labels()}, Spec: pod},
		},
	}
}

func (s server) service() *corev1.Service {
	return &corev1.Service{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Service"},
		ObjectMeta: metav1.ObjectMeta{Name: s.name},
		Spec:       corev1.ServiceSpec{Selector: s.labels(), Ports: []corev1.ServicePort{{Port: int32(s.port)}}},
	}
}

// apply applies an object of Kubernetes' own kinds.
func (c *Cluster) apply(ctx context.Context, namespace string, object any) error {
	fields, err := runtime.DefaultUnstructuredConverter.ToUnstructured(object)
	if err != nil {
		return err
	}
	delete(fields, "status")
	return c.objects.Apply(ctx, namespace, &unstructured.Unstructured{Object: fields})
}
