{{/* Pods, and what makes them. Everything takes (dict "root" $ "component" name). */}}

{{/* Pod security of the restricted profile. Takes the user's id; its group has the same. */}}
{{- define "tonewright.podSecurity" -}}
runAsNonRoot: true
runAsUser: {{ int64 . }}
runAsGroup: {{ int64 . }}
fsGroup: {{ int64 . }}
fsGroupChangePolicy: OnRootMismatch
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "tonewright.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}

{{/* Where pods go, and how important they are: the component's values, else podDefaults. */}}
{{- define "tonewright.placement" -}}
{{- $values := include "tonewright.values" . | fromYaml }}
{{- $defaults := .root.Values.podDefaults }}
{{- range $key := list "nodeSelector" "tolerations" "affinity" "priorityClassName" }}
{{- with get $values $key | default (get $defaults $key) }}
{{ $key }}:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
{{- end }}

{{- define "tonewright.spread" -}}
{{- $values := include "tonewright.values" . | fromYaml }}
{{- $selector := dict "matchLabels" (include "tonewright.selectorLabels" . | fromYaml) }}
{{- $given := $values.topologySpreadConstraints | default .root.Values.podDefaults.topologySpreadConstraints }}
{{- if not $given }}
{{- range list "kubernetes.io/hostname" "topology.kubernetes.io/zone" }}
{{- $given = append $given (dict "maxSkew" 1 "topologyKey" . "whenUnsatisfiable" "ScheduleAnyway") }}
{{- end }}
{{- end -}}
topologySpreadConstraints:
  {{- range $given }}
  - {{- merge (dict) . (dict "labelSelector" $selector) | toYaml | nindent 4 }}
  {{- end }}
{{- end }}

{{- define "tonewright.resources" -}}
{{- $resources := (include "tonewright.values" . | fromYaml).resources }}
{{- $gpu := .root.Values.stemsWorker.gpu }}
{{- if and (eq .component "stems-worker") (include "tonewright.usesGpu" .root) }}
{{- if eq $gpu.mode "dra" }}
{{- $resources = mergeOverwrite $resources (dict "claims" (list (dict "name" "gpu"))) }}
{{- else }}
{{- $resources = mergeOverwrite $resources (dict "limits" (dict $gpu.resourceName (int $gpu.count))) }}
{{- end }}
{{- end }}
{{- toYaml $resources }}
{{- end }}

{{- define "tonewright.probes" -}}
{{- $facts := get (include "tonewright.facts" . | fromYaml) .component }}
{{- $values := include "tonewright.values" . | fromYaml }}
{{- range $kind := list "startup" "readiness" "liveness" }}
{{ $kind }}Probe:
  httpGet: {path: {{ eq $kind "readiness" | ternary ($facts.ready | default "/readyz") "/livez" | quote }}, port: {{ $facts.probe | default "ops" }}}
  {{- toYaml (get $values.probes $kind) | nindent 2 }}
{{- end }}
{{- end }}

{{/* Volumes by name, each with its mount: one table for both lists. */}}
{{- define "tonewright.volumes" -}}
{{- $root := .root }}
{{- $facts := get (include "tonewright.facts" . | fromYaml) .component }}
{{- $values := include "tonewright.values" . | fromYaml }}
home:
  mount: {mountPath: /var/lib/tonewright}
  volume: {emptyDir: {sizeLimit: {{ $values.scratchSizeLimit }}}}
tmp:
  mount: {mountPath: /tmp}
  volume: {emptyDir: {sizeLimit: {{ $values.scratchSizeLimit }}}}
signing-key:
  mount: {mountPath: /etc/tonewright/keys, readOnly: true}
  volume:
    secret:
      secretName: {{ include "tonewright.signingKeySecret" (dict "root" $root "service" $facts.service) }}
      defaultMode: 0440
      items: [{key: tls.key, path: {{ $facts.service }}.key}]
{{- if $facts.ports.grpc }}
trusted-keys:
  mount: {mountPath: /etc/tonewright/trusted, readOnly: true}
  volume:
    projected:
      defaultMode: 0444
      sources:
        {{- range list "gateway" "prompt" "datasets" "sessions" "stems" "realtime" }}
        - secret:
            name: {{ include "tonewright.signingKeySecret" (dict "root" $root "service" .) }}
            items: [{key: tls.crt, path: {{ . }}.pub}]
        {{- end }}
{{- end }}
{{- include "tonewright.caVolume" $root }}
{{- if eq .component "gateway" }}
api-keys:
  mount: {mountPath: /etc/tonewright/api-keys, readOnly: true}
  volume:
    secret:
      secretName: {{ include "tonewright.apiKeysSecret" $root }}
      defaultMode: 0440
      items: [{key: {{ $values.apiKeys.fileKey }}, path: {{ $values.apiKeys.fileKey }}}]
{{- end }}
{{- if eq $facts.service "stems" }}
{{- include "tonewright.weightsVolume" $root }}
{{- end }}
{{- if eq .component "stems-worker" }}
{{- with $values.sharedMemorySize }}
shared-memory:
  mount: {mountPath: /dev/shm}
  volume: {emptyDir: {medium: Memory, sizeLimit: {{ . }}}}
{{- end }}
{{- end }}
{{- end }}

{{- define "tonewright.caVolume" }}
{{- with .Values.caBundle }}
{{- if or .existingConfigMap .existingSecret }}
ca-bundle:
  mount: {mountPath: /etc/tonewright/ca, readOnly: true}
  volume:
    {{- if .existingConfigMap }}
    configMap:
      name: {{ .existingConfigMap }}
    {{- else }}
    secret:
      secretName: {{ .existingSecret }}
    {{- end }}
      items: [{key: {{ .key }}, path: ca.crt}]
{{- end }}
{{- end }}
{{- end }}

{{- define "tonewright.weightsVolume" }}
{{- if eq .Values.stems.engine "demucs" }}
{{- $weights := .Values.stemsWorker.weights }}
weights:
  mount: {mountPath: /models, readOnly: true}
  volume:
    {{- if $weights.existingClaim }}
    persistentVolumeClaim: {claimName: {{ $weights.existingClaim }}, readOnly: true}
    {{- else if and $weights.download.url $weights.download.sha256 }}
    emptyDir: {sizeLimit: {{ $weights.download.sizeLimit }}}
    {{- else }}
    {{- fail "stems.engine demucs needs models: set stemsWorker.weights.existingClaim, or url and sha256 of stemsWorker.weights.download" }}
    {{- end }}
{{- end }}
{{- end }}

{{/* The init container that fetches the weights; nothing where they come from a claim. */}}
{{- define "tonewright.initContainers" -}}
{{- $facts := get (include "tonewright.facts" . | fromYaml) .component }}
{{- $weights := .root.Values.stemsWorker.weights }}
{{- if and (eq $facts.service "stems") (eq .root.Values.stems.engine "demucs") (not $weights.existingClaim) }}
initContainers:
  - name: fetch-weights
    image: {{ include "tonewright.serviceImage" (dict "root" .root "service" "stems" "component" .component) | quote }}
    imagePullPolicy: {{ .root.Values.image.pullPolicy }}
    command:
      - python
      - -c
      - |
        {{- .root.Files.Get "files/fetch_weights.py" | nindent 8 }}
    args: [{{ $weights.download.url | quote }}, {{ $weights.download.sha256 | quote }}, /models]
    env:
      {{- include "tonewright.processEnv" .root | nindent 6 }}
      {{- with concat .root.Values.podDefaults.extraEnv (include "tonewright.values" . | fromYaml).extraEnv }}
      {{- toYaml . | nindent 6 }}
      {{- end }}
    securityContext:
      {{- include "tonewright.containerSecurity" . | nindent 6 }}
    resources:
      requests: {cpu: 50m, memory: 128Mi}
      limits: {memory: 512Mi}
    volumeMounts:
      - {name: weights, mountPath: /models}
      - {name: tmp, mountPath: /tmp}
      {{- if or .root.Values.caBundle.existingConfigMap .root.Values.caBundle.existingSecret }}
      - {name: ca-bundle, mountPath: /etc/tonewright/ca, readOnly: true}
      {{- end }}
{{- end }}
{{- end }}

{{/* Labels and annotations of a pod. A pod with "job" true keeps its node from being taken away under it. */}}
{{- define "tonewright.podMetadata" -}}
{{- $kept := dict "cluster-autoscaler.kubernetes.io/safe-to-evict" "false" "karpenter.sh/do-not-disrupt" "true" }}
{{- $values := include "tonewright.values" . | fromYaml }}
{{- $defaults := .root.Values.podDefaults }}
labels:
  {{- $labels := include "tonewright.podLabels" . | fromYaml }}
  {{- mergeOverwrite (dict) $defaults.podLabels $values.podLabels $labels | toYaml | nindent 2 }}
{{- with mergeOverwrite (dict) (ternary $kept (dict) (default false .job)) $defaults.podAnnotations $values.podAnnotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* `metadata` and `spec` of a component's pods; with "job" true those of a run that ends when nothing is left to do. */}}
{{- define "tonewright.pod" -}}
{{- $root := .root }}
{{- $facts := get (include "tonewright.facts" . | fromYaml) .component }}
{{- $values := include "tonewright.values" . | fromYaml }}
{{- $volumes := include "tonewright.volumes" . | fromYaml }}
metadata:
  {{- include "tonewright.podMetadata" . | nindent 2 }}
spec:
  serviceAccountName: {{ include "tonewright.serviceAccountName" . }}
  automountServiceAccountToken: false
  enableServiceLinks: false
  {{- with $root.Values.imagePullSecrets }}
  imagePullSecrets:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- if .job }}
  restartPolicy: Never
  {{- end }}
  terminationGracePeriodSeconds: {{ add $values.drainSeconds $values.graceSeconds 10 }}
  securityContext:
    {{- include "tonewright.podSecurity" 10001 | nindent 4 }}
  {{- with include "tonewright.placement" . | trim }}
  {{- . | nindent 2 }}
  {{- end }}
  {{- include "tonewright.spread" . | nindent 2 }}
  {{- with $values.runtimeClassName }}
  runtimeClassName: {{ . }}
  {{- end }}
  {{- if and (eq .component "stems-worker") (include "tonewright.usesGpu" $root) (eq $values.gpu.mode "dra") }}
  resourceClaims:
    - name: gpu
      resourceClaimTemplateName: {{ include "tonewright.fullname" $root }}-stems-worker-gpu
  {{- end }}
  {{- with include "tonewright.initContainers" . | trim }}
  {{- . | nindent 2 }}
  {{- end }}
  containers:
    - name: {{ .component }}
      image: {{ include "tonewright.serviceImage" (dict "root" $root "service" $facts.service "component" .component) | quote }}
      imagePullPolicy: {{ $root.Values.image.pullPolicy }}
      {{- with concat ($facts.args | default list) (ternary (list "--exit-when-idle") list (default false .job)) }}
      args: {{ toJson . }}
      {{- end }}
      ports:
        {{- range $name, $port := $facts.ports }}
        - {name: {{ $name }}, containerPort: {{ $port }}, protocol: TCP}
        {{- end }}
      env:
        {{- include "tonewright.env" . | nindent 8 }}
      {{- with concat $root.Values.podDefaults.extraEnvFrom $values.extraEnvFrom }}
      envFrom:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- include "tonewright.probes" . | trim | nindent 6 }}
      securityContext:
        {{- include "tonewright.containerSecurity" . | nindent 8 }}
      resources:
        {{- include "tonewright.resources" . | nindent 8 }}
      volumeMounts:
        {{- range $name, $pair := $volumes }}
        - {{- merge (dict "name" $name) $pair.mount | toYaml | nindent 10 }}
        {{- end }}
        {{- with concat $root.Values.podDefaults.extraVolumeMounts $values.extraVolumeMounts }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
  volumes:
    {{- range $name, $pair := $volumes }}
    - {{- merge (dict "name" $name) $pair.volume | toYaml | nindent 6 }}
    {{- end }}
    {{- with concat $root.Values.podDefaults.extraVolumes $values.extraVolumes }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
{{- end }}

{{/* The pods of a stems worker. Takes (dict "root" $ "job" true). */}}
{{- define "tonewright.stemsWorker.podTemplate" -}}
{{- include "tonewright.pod" (dict "root" .root "component" "stems-worker" "job" .job) }}
{{- end }}

{{- define "tonewright.rollingUpdate" -}}
{{- $given := (include "tonewright.values" . | fromYaml).rollingUpdate }}
{{- $hasSpare := not (and (eq .component "stems-worker") (include "tonewright.usesGpu" .root)) }}
{{- $given | default ($hasSpare | ternary (dict "maxSurge" 1 "maxUnavailable" 0) (dict "maxSurge" 0 "maxUnavailable" 1)) | toYaml }}
{{- end }}

{{- define "tonewright.deployment" -}}
{{- $values := include "tonewright.values" . | fromYaml }}
apiVersion: apps/v1
kind: Deployment
metadata:
  {{- include "tonewright.metadata" . | nindent 2 }}
spec:
  {{- $scaling := $values.autoscaling | default dict }}
  {{- if not (and $scaling.enabled (include "tonewright.policy.hpaVersion" .root)) }}
  replicas: {{ int64 $values.replicas }}
  {{- end }}
  revisionHistoryLimit: 5
  selector:
    matchLabels:
      {{- include "tonewright.selectorLabels" . | nindent 6 }}
  strategy:
    type: RollingUpdate
    rollingUpdate:
      {{- include "tonewright.rollingUpdate" . | nindent 6 }}
  template:
    {{- include "tonewright.pod" . | nindent 4 }}
{{- end }}

{{/* A headless Service: gRPC clients see every pod and balance by themselves. */}}
{{- define "tonewright.headlessService" -}}
{{- $facts := get (include "tonewright.facts" . | fromYaml) .component }}
apiVersion: v1
kind: Service
metadata:
  {{- include "tonewright.metadata" . | nindent 2 }}
spec:
  clusterIP: None
  selector:
    {{- include "tonewright.selectorLabels" . | nindent 4 }}
  ports:
    - {name: grpc, port: {{ $facts.ports.grpc }}, targetPort: grpc, protocol: TCP}
    - {name: ops, port: {{ $facts.ports.ops }}, targetPort: ops, protocol: TCP}
{{- end }}

{{/* A Service with one address. Takes (dict "root" $ "component" name "suffix" … "port" container-port-name "service" values). */}}
{{- define "tonewright.addressService" -}}
apiVersion: v1
kind: Service
metadata:
  {{- include "tonewright.metadata" . | nindent 2 }}
  {{- with .service.annotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  type: {{ .service.type }}
  {{- with .service.clusterIP }}
  clusterIP: {{ . }}
  {{- end }}
  selector:
    {{- include "tonewright.selectorLabels" . | nindent 4 }}
  ports:
    - {name: {{ .port }}, port: {{ .service.port }}, targetPort: {{ .port }}, protocol: TCP}
{{- end }}

{{- define "tonewright.serviceAccount" -}}
{{- $account := (include "tonewright.values" . | fromYaml).serviceAccount }}
{{- if $account.create }}
apiVersion: v1
kind: ServiceAccount
metadata:
  {{- include "tonewright.metadata" . | nindent 2 }}
  {{- with mergeOverwrite (dict) .root.Values.podDefaults.serviceAccountAnnotations $account.annotations (.annotations | default dict) }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
automountServiceAccountToken: false
{{- end }}
{{- end }}
