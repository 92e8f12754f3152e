package cluster

// Crews defines a kind with a scale subresource, as a scale target that is none of
// Kubernetes' own. A cluster has it before the first scenario: the HPA looks for new
// kinds twice a minute only.
const Crews = `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: crews.e2e.example.com}
spec:
  group: e2e.example.com
  scope: Namespaced
  names: {kind: Crew, listKind: CrewList, plural: crews, singular: crew}
  versions:
  - name: v1
    served: true
    storage: true
    schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
    subresources:
      status: {}
      scale: {specReplicasPath: .spec.replicas, statusReplicasPath: .status.replicas, labelSelectorPath: .status.selector}
`
