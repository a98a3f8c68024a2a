{{/* The migrations' pod: one container for each database schema, one after the other. */}}
{{- define "tonewright.migrations.pod" -}}
{{- $root := .root }}
{{- $values := .root.Values.migrations }}
{{- $defaults := .root.Values.podDefaults }}
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
  restartPolicy: Never
  securityContext:
    {{- include "tonewright.podSecurity" 10001 | nindent 4 }}
  {{- with include "tonewright.placement" . | trim }}
  {{- . | nindent 2 }}
  {{- end }}
  initContainers:
    {{- range list "prompt" "datasets" "sessions" "stems" }}
    - {{- include "tonewright.migrations.container" (dict "root" $root "component" $.component "service" .) | nindent 6 }}
    {{- end }}
  containers:
    - {{- include "tonewright.migrations.container" (dict "root" $root "component" $.component "service" "realtime") | nindent 6 }}
  volumes:
    - {name: home, emptyDir: {}}
    - {name: tmp, emptyDir: {}}
    {{- with (include "tonewright.caVolume" $root | fromYaml) }}
    - {{- merge (dict "name" "ca-bundle") (get . "ca-bundle").volume | toYaml | nindent 6 }}
    {{- end }}
    {{- with concat $defaults.extraVolumes $values.extraVolumes }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
{{- end }}

{{- define "tonewright.migrations.container" -}}
{{- $root := .root }}
{{- $values := .root.Values.migrations }}
{{- $defaults := .root.Values.podDefaults -}}
name: {{ .service }}
image: {{ include "tonewright.serviceImage" . | quote }}
imagePullPolicy: {{ $root.Values.image.pullPolicy }}
args: [migrate]
env:
  {{- include "tonewright.processEnv" $root | nindent 2 }}
  {{- include "tonewright.databaseEnv" (dict "root" $root "role" "app" "variable" "TONEWRIGHT_DATABASE_URL") | nindent 2 }}
  {{- include "tonewright.databaseEnv" (dict "root" $root "role" "owner" "variable" "TONEWRIGHT_MIGRATION_DATABASE_URL" "password" true) | nindent 2 }}
  {{- with concat $defaults.extraEnv $values.extraEnv }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- with concat $defaults.extraEnvFrom $values.extraEnvFrom }}
envFrom:
  {{- toYaml . | nindent 2 }}
{{- end }}
securityContext:
  {{- include "tonewright.containerSecurity" . | nindent 2 }}
resources:
  {{- toYaml $values.resources | nindent 2 }}
volumeMounts:
  - {name: home, mountPath: /var/lib/tonewright}
  - {name: tmp, mountPath: /tmp}
  {{- with (include "tonewright.caVolume" $root | fromYaml) }}
  - {name: ca-bundle, mountPath: /etc/tonewright/ca, readOnly: true}
  {{- end }}
  {{- with concat $defaults.extraVolumeMounts $values.extraVolumeMounts }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}

{{/*
Annotations that make an object a hook. A database of the release itself is there only after the first install, so then
nothing is a hook: "" is given.
*/}}
{{- define "tonewright.migrations.hook" -}}
{{- if not (and .root.Values.devBackends.enabled .root.Release.IsInstall) -}}
helm.sh/hook: pre-install,pre-upgrade
helm.sh/hook-weight: {{ .weight | quote }}
helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
argocd.argoproj.io/hook: PreSync
argocd.argoproj.io/hook-delete-policy: BeforeHookCreation
{{- end }}
{{- end }}
