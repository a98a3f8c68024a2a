{{/*
Disruption budgets, autoscalers and monitors: one template each, called by templates/<component>/*.yaml with
(dict "root" $ "component" "stems-worker" "values" .Values.stemsWorker).

Built-in kinds take the newest version that the cluster has; without one they are left out and NOTES say so. The
version of Kubernetes counts beside the list of API versions, because `helm template` without a cluster lists
every version that Helm itself knows.
*/}}
{{- define "tonewright.policy.pdbVersion" -}}
{{- $has := .Capabilities.APIVersions }}
{{- $minor := .Capabilities.KubeVersion.Version }}
{{- if and ($has.Has "policy/v1") (semverCompare ">=1.21-0" $minor) }}policy/v1
{{- else if and ($has.Has "policy/v1beta1") (semverCompare "<1.25-0" $minor) }}policy/v1beta1
{{- end }}
{{- end }}

{{- define "tonewright.policy.hpaVersion" -}}
{{- $has := .Capabilities.APIVersions }}
{{- $minor := .Capabilities.KubeVersion.Version }}
{{- if and ($has.Has "autoscaling/v2") (semverCompare ">=1.23-0" $minor) }}autoscaling/v2
{{- else if and ($has.Has "autoscaling/v2beta2") (semverCompare "<1.26-0" $minor) }}autoscaling/v2beta2
{{- end }}
{{- end }}

{{/* Lines for NOTES: what this cluster has no API for. Takes the root context. */}}
{{- define "tonewright.policy.leftOut" -}}
{{- if not (include "tonewright.policy.pdbVersion" .) }}
* PodDisruptionBudgets are left out: the cluster has neither policy/v1 nor policy/v1beta1. Drain its nodes with care.
{{- end }}
{{- if not (include "tonewright.policy.hpaVersion" .) }}
* HorizontalPodAutoscalers are left out: the cluster has neither autoscaling/v2 nor autoscaling/v2beta2.
{{- end }}
{{- end }}

{{/* Stops with a clear message where a kind of another project is missing.
Takes (dict "root" $ "api" "keda.sh/v1alpha1" "kind" "ScaledJob" "value" "stemsWorker.keda.enabled" "from" "KEDA 2.16"). */}}
{{- define "tonewright.policy.require" -}}
{{- $full := printf "%s/%s" .api .kind }}
{{- $has := .root.Capabilities.APIVersions }}
{{- if not (or ($has.Has $full) ($has.Has .api)) }}
{{- fail (printf "%s is set, but the cluster has no %s of %s: install %s or newer, or set the value to false (helm template learns of it by --api-versions %s)" .value .kind .api .from $full) }}
{{- end }}
{{- end }}

{{- define "tonewright.policy.metadata" -}}
name: {{ include "tonewright.fullname" .root }}-{{ .component }}
namespace: {{ .root.Release.Namespace }}
{{- end }}

{{- define "tonewright.pdb" -}}
{{- $version := include "tonewright.policy.pdbVersion" .root }}
{{- if and .values.pdb.enabled $version }}
apiVersion: {{ $version }}
kind: PodDisruptionBudget
metadata:
  {{- include "tonewright.policy.metadata" . | nindent 2 }}
  labels:
    {{- include "tonewright.labels" . | nindent 4 }}
spec:
  {{- if not (kindIs "invalid" .values.pdb.minAvailable) }}
  minAvailable: {{ .values.pdb.minAvailable }}
  {{- else }}
  maxUnavailable: {{ .values.pdb.maxUnavailable }}
  {{- end }}
  selector:
    matchLabels:
      {{- include "tonewright.selectorLabels" . | nindent 6 }}
{{- end }}
{{- end }}

{{- define "tonewright.hpa" -}}
{{- $version := include "tonewright.policy.hpaVersion" .root }}
{{- $own := .values.autoscaling }}
{{- if and $own.enabled $version }}
{{- if lt (int $own.maxReplicas) (int $own.minReplicas) }}
{{- fail (printf "%s.autoscaling: maxReplicas %v is below minReplicas %v" .component $own.maxReplicas $own.minReplicas) }}
{{- end }}
apiVersion: {{ $version }}
kind: HorizontalPodAutoscaler
metadata:
  {{- include "tonewright.policy.metadata" . | nindent 2 }}
  labels:
    {{- include "tonewright.labels" . | nindent 4 }}
spec:
  scaleTargetRef:
    apiVersion: apps/v1
    kind: Deployment
    name: {{ include "tonewright.fullname" .root }}-{{ .component }}
  minReplicas: {{ $own.minReplicas }}
  maxReplicas: {{ $own.maxReplicas }}
  metrics:
    - type: Resource
      resource:
        name: cpu
        target:
          type: Utilization
          averageUtilization: {{ $own.targetCPUPercent }}
  behavior:
    scaleDown:
      stabilizationWindowSeconds: {{ $own.scaleDownSeconds }}
{{- end }}
{{- end }}

{{/* A ServiceMonitor, or a PodMonitor for a component without a Service ("kind" "PodMonitor"); "port" names its port. */}}
{{- define "tonewright.monitor" -}}
{{- $own := .root.Values.monitoring.serviceMonitors }}
{{- $kind := .kind | default "ServiceMonitor" }}
{{- if $own.enabled }}
{{- include "tonewright.policy.require" (dict "root" .root "api" "monitoring.coreos.com/v1" "kind" $kind "value" "monitoring.serviceMonitors.enabled" "from" "Prometheus Operator 0.50") }}
apiVersion: monitoring.coreos.com/v1
kind: {{ $kind }}
metadata:
  {{- include "tonewright.policy.metadata" . | nindent 2 }}
  labels:
    {{- include "tonewright.labels" . | nindent 4 }}
    {{- with $own.labels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  namespaceSelector:
    matchNames:
      - {{ .root.Release.Namespace }}
  selector:
    matchLabels:
      {{- include "tonewright.selectorLabels" . | nindent 6 }}
  {{ eq $kind "PodMonitor" | ternary "podMetricsEndpoints" "endpoints" }}:
    - port: {{ .port }}
      path: /metrics
      interval: {{ $own.interval }}
      scrapeTimeout: {{ $own.scrapeTimeout }}
      relabelings:
        - targetLabel: app
          replacement: tonewright
        - targetLabel: job
          replacement: {{ include "tonewright.fullname" .root }}-{{ .component }}
        - sourceLabels: [__meta_kubernetes_pod_label_app_kubernetes_io_component]
          targetLabel: component
        - sourceLabels: [__meta_kubernetes_pod_label_app_kubernetes_io_instance]
          targetLabel: release
{{- end }}
{{- end }}
