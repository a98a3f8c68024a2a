{{/*
A StatefulSet of one pod, its Service and the volume. Takes (dict "root" $ "component" "s3" "values" … "port" 8333
"data" path "home" path "env" list-as-text); the start command is files/dev-backends/<component>.sh.
*/}}
{{- define "tonewright.devBackend" -}}
{{- $root := .root }}
{{- $values := .values }}
{{- $script := .root.Files.Get (printf "files/dev-backends/%s.sh" .component) }}
apiVersion: v1
kind: Service
metadata:
  {{- include "tonewright.metadata" . | nindent 2 }}
spec:
  type: {{ ($values.service | default dict).type | default "ClusterIP" }}
  {{- with ($values.service | default dict).clusterIP }}
  clusterIP: {{ . }}
  {{- end }}
  selector:
    {{- include "tonewright.selectorLabels" . | nindent 4 }}
  ports:
    - {name: {{ .component }}, port: {{ .port }}, targetPort: {{ .port }}, protocol: TCP}
---
apiVersion: v1
kind: ConfigMap
metadata:
  {{- include "tonewright.metadata" . | nindent 2 }}
data:
  start.sh: |
    {{- $script | nindent 4 }}
---
apiVersion: apps/v1
kind: StatefulSet
metadata:
  {{- include "tonewright.metadata" . | nindent 2 }}
spec:
  serviceName: {{ include "tonewright.fullname" $root }}-{{ .component }}
  replicas: 1
  selector:
    matchLabels:
      {{- include "tonewright.selectorLabels" . | nindent 6 }}
  template:
    metadata:
      labels:
        {{- include "tonewright.podLabels" . | nindent 8 }}
      annotations:
        checksum/script: {{ sha256sum $script }}
    spec:
      automountServiceAccountToken: false
      enableServiceLinks: false
      {{- with $root.Values.imagePullSecrets }}
      imagePullSecrets:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      terminationGracePeriodSeconds: 30
      securityContext:
        {{- include "tonewright.podSecurity" $values.runAsUser | nindent 8 }}
      {{- with $values.nodeSelector | default $root.Values.podDefaults.nodeSelector }}
      nodeSelector:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with $values.tolerations | default $root.Values.podDefaults.tolerations }}
      tolerations:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      containers:
        - name: {{ .component }}
          image: {{ $values.image | quote }}
          imagePullPolicy: {{ $root.Values.image.pullPolicy }}
          command: [/bin/sh, /scripts/start.sh]
          ports:
            - {name: {{ .component }}, containerPort: {{ .port }}, protocol: TCP}
          env:
            - name: HOME
              value: {{ .home }}
            {{- .env | nindent 12 }}
          startupProbe:
            tcpSocket: {port: {{ .port }}}
            periodSeconds: 2
            failureThreshold: 90
            timeoutSeconds: 3
          readinessProbe:
            tcpSocket: {port: {{ .port }}}
            periodSeconds: 5
            timeoutSeconds: 3
          livenessProbe:
            tcpSocket: {port: {{ .port }}}
            periodSeconds: 10
            failureThreshold: 6
            timeoutSeconds: 3
          securityContext:
            {{- include "tonewright.containerSecurity" . | nindent 12 }}
          resources:
            {{- toYaml $values.resources | nindent 12 }}
          volumeMounts:
            - {name: data, mountPath: {{ .data }}}
            - {name: tmp, mountPath: /tmp}
            - {name: scripts, mountPath: /scripts, readOnly: true}
      volumes:
        - {name: tmp, emptyDir: {}}
        - name: scripts
          configMap:
            name: {{ include "tonewright.fullname" $root }}-{{ .component }}
        {{- if not $values.persistence.enabled }}
        - name: data
          emptyDir: {sizeLimit: {{ $values.persistence.size }}}
        {{- end }}
  {{- if $values.persistence.enabled }}
  volumeClaimTemplates:
    - metadata:
        name: data
        labels:
          {{- include "tonewright.selectorLabels" . | nindent 10 }}
      spec:
        accessModes: [ReadWriteOnce]
        {{- with $values.persistence.storageClass }}
        storageClassName: {{ . | quote }}
        {{- end }}
        resources:
          requests: {storage: {{ $values.persistence.size }}}
  {{- end }}
{{- end }}

{{/* A Secret whose values are made once and kept. Takes (dict "root" $ "component" name "data" dict-of-base64). */}}
{{- define "tonewright.devSecret" -}}
{{- $metadata := include "tonewright.metadata" . | fromYaml }}
{{- $kept := (lookup "v1" "Secret" .root.Release.Namespace $metadata.name).data }}
apiVersion: v1
kind: Secret
metadata:
  {{- toYaml $metadata | nindent 2 }}
type: Opaque
data:
  {{- $kept | default .data | toYaml | nindent 2 }}
{{- end }}
