{{/*
Helpers take the root context (`$`), or a dict of `root` and `component`; a component's name is its folder's, with
dashes, and `tonewright.facts` has what the chart must know of it. `tonewright.values` gives its part of the values.
*/}}

{{/*
  values  key of the component's values
  service who it is to the other services: its settings, its signing key, its rights to call
  args    command of the process; empty: serve
  ports   container ports by name
  probe   port of the probes, and `ready` where the path is not /readyz
  uses    what it is given addresses and credentials of
*/}}
{{- define "tonewright.facts" -}}
gateway: {values: gateway, service: gateway, ports: {http: 8080}, probe: http, ready: "/readyz?scope=self", uses: [objects]}
prompt: {values: prompt, service: prompt, ports: {grpc: 50051, ops: 9101}, uses: [database, objects, openai]}
datasets: {values: datasets, service: datasets, ports: {grpc: 50052, ops: 9102}, uses: [database, broker, objects, replicate]}
datasets-worker: {values: datasetsWorker, service: datasets, args: [worker], ports: {ops: 9112}, uses: [database, broker, objects]}
sessions: {values: sessions, service: sessions, ports: {grpc: 50053, ops: 9103}, uses: [database, objects]}
stems: {values: stems, service: stems, ports: {grpc: 50054, ops: 9104}, uses: [database, broker, objects]}
stems-worker: {values: stemsWorker, service: stems, args: [worker], ports: {ops: 9114}, uses: [database, broker, objects]}
realtime: {values: realtime, service: realtime, ports: {grpc: 50055, ops: 9105, socket: 8081}, uses: [database, objects]}
migrations: {values: migrations}
test: {values: smokeTest}
{{- end }}

{{- define "tonewright.values" -}}
{{- $facts := get (include "tonewright.facts" . | fromYaml) .component }}
{{- get .root.Values $facts.values | toYaml }}
{{- end }}

{{- define "tonewright.name" -}}
{{- default "tonewright" .Values.nameOverride | trunc 40 | trimSuffix "-" }}
{{- end }}

{{/* At most 40 characters: the longest suffix, of a migration Job, has 20. */}}
{{- define "tonewright.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" }}
{{- else if contains (include "tonewright.name" .) .Release.Name }}
{{- .Release.Name | trunc 40 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name (include "tonewright.name" .) | trunc 40 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "tonewright.selectorLabels" -}}
app.kubernetes.io/name: tonewright
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{- define "tonewright.labels" -}}
{{ include "tonewright.podLabels" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" }}
{{- end }}

{{/* Labels of pods: without versions, so that a new chart restarts only what it changes. */}}
{{- define "tonewright.podLabels" -}}
{{ include "tonewright.selectorLabels" . }}
app.kubernetes.io/part-of: tonewright
{{- with .root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* Name, namespace and labels of a component's object; `suffix` makes it another object of the same component. */}}
{{- define "tonewright.metadata" -}}
name: {{ include "tonewright.fullname" .root }}-{{ .component }}{{ with .suffix }}-{{ . }}{{ end }}
namespace: {{ .root.Release.Namespace }}
labels:
  {{- include "tonewright.labels" . | nindent 2 }}
{{- end }}

{{/* Reference of an image. Takes (dict "root" $ "name" "gateway"). */}}
{{- define "tonewright.image" -}}
{{- $image := .root.Values.image }}
{{- with get $image.digests .name }}
{{- printf "%s/%s@%s" $image.repository $.name . }}
{{- else }}
{{- printf "%s/%s:%s" $image.repository .name ($image.tag | default .root.Chart.AppVersion) }}
{{- end }}
{{- end }}

{{/* Takes (dict "root" $ "service" "stems" "component" "stems-worker"): only a worker with Demucs needs torch. */}}
{{- define "tonewright.serviceImage" -}}
{{- $name := .service }}
{{- if and (eq .service "stems") (not (and (eq .component "stems-worker") (eq .root.Values.stems.engine "demucs"))) }}
{{- $name = "stems-stub" }}
{{- end }}
{{- include "tonewright.image" (dict "root" .root "name" $name) }}
{{- end }}

{{- define "tonewright.serviceAccountName" -}}
{{- $account := (include "tonewright.values" . | fromYaml).serviceAccount }}
{{- $account.name | default ($account.create | ternary (printf "%s-%s" (include "tonewright.fullname" .root) .component) "default") }}
{{- end }}

{{/* Whether stems workers claim a GPU: "true" or "". */}}
{{- define "tonewright.usesGpu" -}}
{{- if and (eq .Values.stems.engine "demucs") (ne .Values.stems.device "cpu") (gt (int .Values.stemsWorker.gpu.count) 0) }}true{{ end }}
{{- end }}

{{/* Bytes of a quantity such as 64Gi or 500M. */}}
{{- define "tonewright.bytes" -}}
{{- $size := toString . }}
{{- $unit := regexFind "[A-Za-z]*$" $size }}
{{- $factor := dict "" 1 "k" 1000 "M" 1000000 "G" 1000000000 "T" 1000000000000 "Ki" 1024 "Mi" 1048576 "Gi" 1073741824 "Ti" 1099511627776 }}
{{- mulf (trimSuffix $unit $size | float64) (get $factor $unit | float64) | int64 }}
{{- end }}

{{/* Names of Secrets, given or made. */}}
{{- define "tonewright.postgresSecret" -}}
{{- if .Values.devBackends.enabled }}{{ include "tonewright.fullname" . }}-postgres{{ else }}{{ .Values.postgres.existingSecret }}{{ end }}
{{- end }}

{{- define "tonewright.apiKeysSecret" -}}
{{- .Values.gateway.apiKeys.existingSecret | default (printf "%s-api-keys" (include "tonewright.fullname" .)) }}
{{- end }}

{{/* Takes (dict "root" $ "service" "prompt"). */}}
{{- define "tonewright.signingKeySecret" -}}
{{- (get .root.Values .service).signingKey.existingSecret | default (printf "%s-%s-signing-key" (include "tonewright.fullname" .root) .service) }}
{{- end }}

{{/* Key of the API keys' Secret with an operator's key in plain; empty: there is none to test with. */}}
{{- define "tonewright.testKey" -}}
{{- if .Values.gateway.apiKeys.existingSecret }}{{ .Values.gateway.apiKeys.testKey }}{{ else }}api-key{{ end }}
{{- end }}

{{/* https://api.example.com where an Ingress or HTTPRoute names a host, else empty. */}}
{{- define "tonewright.outsideUrl" -}}
{{- if and .Values.httpRoute.enabled .Values.httpRoute.hostnames }}
{{- printf "%s://%s" .Values.httpRoute.scheme (first .Values.httpRoute.hostnames) }}
{{- else if and .Values.ingress.enabled .Values.ingress.hosts }}
{{- printf "%s://%s" (.Values.ingress.tlsSecret | empty | ternary "http" "https") (first .Values.ingress.hosts) }}
{{- end }}
{{- end }}

{{- define "tonewright.gatewayUrl" -}}
http://{{ include "tonewright.fullname" . }}-gateway:{{ .Values.gateway.service.port }}
{{- end }}

{{- define "tonewright.publicUrl" -}}
{{- .Values.gateway.publicUrl | default (include "tonewright.outsideUrl" .) | default (include "tonewright.gatewayUrl" .) }}
{{- end }}

{{- define "tonewright.socketPublicUrl" -}}
{{- $outside := include "tonewright.outsideUrl" . | replace "https://" "wss://" | replace "http://" "ws://" }}
{{- $own := printf "ws://%s-realtime-socket:%v" (include "tonewright.fullname" .) .Values.realtime.service.port }}
{{- .Values.realtime.socket.publicUrl | default $outside | default $own }}
{{- end }}
