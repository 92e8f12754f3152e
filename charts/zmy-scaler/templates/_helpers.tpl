{{- define "zmy-scaler.name" -}}
{{ default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/* The names of secrets and issuers have something behind it: hence 50. */}}
{{- define "zmy-scaler.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{ .Values.fullnameOverride | trunc 50 | trimSuffix "-" }}
{{- else if contains (include "zmy-scaler.name" .) .Release.Name -}}
{{ .Release.Name | trunc 50 | trimSuffix "-" }}
{{- else -}}
{{ printf "%s-%s" .Release.Name (include "zmy-scaler.name" .) | trunc 50 | trimSuffix "-" }}
{{- end -}}
{{- end }}

{{/* Names of what belongs to no namespace. */}}
{{- define "zmy-scaler.clusterName" -}}
{{- $name := include "zmy-scaler.fullname" . -}}
{{- if eq $name .Release.Namespace -}}
{{ $name }}
{{- else -}}
{{ printf "%s-%s" $name .Release.Namespace | trunc 63 | trimSuffix "-" }}
{{- end -}}
{{- end }}

{{- define "zmy-scaler.selector" -}}
app.kubernetes.io/name: {{ include "zmy-scaler.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "zmy-scaler.labels" -}}
{{ include "zmy-scaler.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "zmy-scaler.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{ default (include "zmy-scaler.fullname" .) .Values.serviceAccount.name }}
{{- else -}}
{{ default "default" .Values.serviceAccount.name }}
{{- end -}}
{{- end }}

{{- define "zmy-scaler.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ default .Chart.AppVersion .Values.image.tag }}
{{- end -}}
{{- end }}

{{/* The file as the scaler reads it. */}}
{{- define "zmy-scaler.config" -}}
{{- $config := deepCopy .Values.config -}}
{{- if and (ne .Values.tls.mode "none") .Values.tls.clientAuth .Values.tls.allowedClientNames -}}
{{- $config = mergeOverwrite $config (dict "grpc" (dict "tls" (dict "allowedClientNames" .Values.tls.allowedClientNames))) -}}
{{- end -}}
{{ toYaml $config }}
{{- end }}

{{/* What stands in the scaler's certificate, as JSON: names and addresses. */}}
{{- define "zmy-scaler.serverNames" -}}
{{- $host := printf "%s.%s" (include "zmy-scaler.fullname" .) .Release.Namespace -}}
{{- $names := list $host (printf "%s.svc" $host) (printf "%s.svc.cluster.local" $host) -}}
{{- $addresses := list -}}
{{- range .Values.tls.extraNames -}}
{{- if regexMatch "^[0-9.]+$|:" . -}}
{{- $addresses = append $addresses . -}}
{{- else -}}
{{- $names = append $names . -}}
{{- end -}}
{{- end -}}
{{ dict "names" $names "addresses" $addresses | toJson }}
{{- end }}

{{- define "zmy-scaler.serverSecret" -}}
{{- if eq .Values.tls.mode "secret" -}}
{{ required "tls.secret.name: is needed with tls.mode secret" .Values.tls.secret.name }}
{{- else -}}
{{ include "zmy-scaler.fullname" . }}-tls
{{- end -}}
{{- end }}

{{- define "zmy-scaler.clientCASecret" -}}
{{- if eq .Values.tls.mode "secret" -}}
{{ default (include "zmy-scaler.serverSecret" .) .Values.tls.secret.clientCA }}
{{- else -}}
{{ include "zmy-scaler.serverSecret" . }}
{{- end -}}
{{- end }}

{{/* The secret that KEDA reads. */}}
{{- define "zmy-scaler.kedaSecret" -}}
{{- if eq .Values.tls.mode "secret" -}}
{{ required "tls.secret.kedaName: is needed with tls.mode secret, for KEDA" .Values.tls.secret.kedaName }}
{{- else -}}
{{ include "zmy-scaler.fullname" . }}-keda-tls
{{- end -}}
{{- end }}

{{- define "zmy-scaler.authentication" -}}
{{ default (include "zmy-scaler.fullname" .) .Values.authentication.name }}
{{- end }}

{{/* Where KEDA reads its secret, as JSON. */}}
{{- define "zmy-scaler.kedaNamespaces" -}}
{{- if eq .Values.authentication.kind "TriggerAuthentication" -}}
{{- if not .Values.authentication.namespaces -}}
{{- fail "authentication.namespaces: is needed with TriggerAuthentication: where are the ScaledObjects?" -}}
{{- end -}}
{{ uniq .Values.authentication.namespaces | toJson }}
{{- else -}}
{{ list .Values.keda.namespace | toJson }}
{{- end -}}
{{- end }}

{{/* What triggers that are ours have as their scalerAddress, in RE2. */}}
{{- define "zmy-scaler.address" -}}
{{- if contains "'" .Values.admission.address -}}
{{- fail "admission.address: must not have a ' in it" -}}
{{- end -}}
{{- $host := printf `%s\.%s(\.svc(\.[a-z0-9.-]+)?)?\.?` (include "zmy-scaler.fullname" .) .Release.Namespace -}}
{{ default (printf `^(dns:(//[^/]*)?/*)?%s(:[0-9]+)?$` $host) .Values.admission.address }}
{{- end }}
