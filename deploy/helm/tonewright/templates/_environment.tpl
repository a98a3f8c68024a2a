{{/* Environment of processes: lists of name and value. */}}

{{/* An environment variable from a Secret. Takes (list NAME SECRET KEY). */}}
{{- define "tonewright.secretEnv" -}}
- name: {{ index . 0 }}
  valueFrom:
    secretKeyRef: {name: {{ index . 1 }}, key: {{ index . 2 }}}
{{- end }}

{{/*
The database as one role sees it. Takes (dict "root" $ "role" "app" "variable" NAME "password" true).
With host and Secrets apart, the password never enters a URL, where it would have to be escaped: libpq reads PGPASSWORD.
*/}}
{{- define "tonewright.databaseEnv" -}}
{{- $postgres := .root.Values.postgres }}
{{- if or .root.Values.devBackends.enabled $postgres.existingSecret }}
{{- $keys := .root.Values.devBackends.enabled | ternary (dict "app" "app-url" "owner" "owner-url") (dict "app" $postgres.appUrlKey "owner" $postgres.ownerUrlKey) }}
{{- include "tonewright.secretEnv" (list .variable (include "tonewright.postgresSecret" .root) (get $keys .role)) }}
{{- else }}
{{- $role := get $postgres .role }}
{{- if not (and $postgres.host $role.existingSecret) }}
{{- fail (printf "postgres: name the Secret with both URLs in postgres.existingSecret, or set postgres.host and postgres.%s.existingSecret, or devBackends.enabled=true" .role) }}
{{- end }}
{{- include "tonewright.secretEnv" (list (printf "DATABASE_%s" (upper .role)) $role.existingSecret $role.usernameKey) }}
{{- if .password }}
{{ include "tonewright.secretEnv" (list "PGPASSWORD" $role.existingSecret $role.passwordKey) }}
{{- end }}
- name: {{ .variable }}
  value: postgresql://$(DATABASE_{{ upper .role }})@{{ $postgres.host }}:{{ $postgres.port }}/{{ $postgres.database }}{{ with $postgres.parameters }}?{{ . }}{{ end }}
{{- end }}
{{- end }}

{{- define "tonewright.brokerEnv" -}}
{{- $broker := .Values.broker }}
{{- if .Values.devBackends.enabled }}
{{- include "tonewright.secretEnv" (list "TONEWRIGHT_BROKER_URL" (printf "%s-rabbitmq" (include "tonewright.fullname" .)) "url") }}
{{- else if not $broker.existingSecret }}
{{- fail "broker.existingSecret: name the Secret with the broker's URL, or set devBackends.enabled=true" }}
{{- else if $broker.host }}
{{- include "tonewright.secretEnv" (list "BROKER_USERNAME" $broker.existingSecret $broker.usernameKey) }}
{{ include "tonewright.secretEnv" (list "BROKER_PASSWORD" $broker.existingSecret $broker.passwordKey) }}
- name: TONEWRIGHT_BROKER_URL
  value: amqp://$(BROKER_USERNAME):$(BROKER_PASSWORD)@{{ $broker.host }}:{{ $broker.port }}/{{ $broker.vhost | urlquery }}
{{- else }}
{{- include "tonewright.secretEnv" (list "TONEWRIGHT_BROKER_URL" $broker.existingSecret $broker.urlKey) }}
{{- end }}
{{- end }}

{{- define "tonewright.objectsEnv" -}}
{{- $objects := .Values.objects }}
{{- $secret := $objects.existingSecret }}
{{- $keys := list $objects.accessKeyIdKey $objects.secretAccessKeyKey }}
{{- $url := $objects.url }}
{{- if .Values.devBackends.enabled }}
{{- $secret = printf "%s-s3" (include "tonewright.fullname" .) }}
{{- $keys = list "access-key-id" "secret-access-key" }}
{{- $url = printf "s3://tonewright/objects?endpoint=http://%s:8333&region=us-east-1" $secret }}
{{- else if not $url }}
{{- fail "objects.url: set s3://bucket/prefix?endpoint=…, or devBackends.enabled=true" }}
{{- end -}}
- name: TONEWRIGHT_OBJECTS_URL
  value: {{ $url | quote }}
{{- with $objects.publicUrl }}
- name: TONEWRIGHT_OBJECTS_PUBLIC_URL
  value: {{ . | quote }}
{{- end }}
{{- if $secret }}
{{ include "tonewright.secretEnv" (list "AWS_ACCESS_KEY_ID" $secret (first $keys)) }}
{{ include "tonewright.secretEnv" (list "AWS_SECRET_ACCESS_KEY" $secret (last $keys)) }}
{{- end }}
{{- end }}

{{- define "tonewright.caEnv" -}}
{{- if or .Values.caBundle.existingConfigMap .Values.caBundle.existingSecret }}
{{- range list "SSL_CERT_FILE" "REQUESTS_CA_BUNDLE" "AWS_CA_BUNDLE" "PGSSLROOTCERT" }}
- name: {{ . }}
  value: /etc/tonewright/ca/ca.crt
{{- end }}
{{- end }}
{{- end }}

{{/* What every process of ours reads. */}}
{{- define "tonewright.processEnv" -}}
- name: HOME
  value: /var/lib/tonewright
- name: TONEWRIGHT_HOME
  value: /var/lib/tonewright
- name: TONEWRIGHT_LOG_FORMAT
  value: json
- name: TONEWRIGHT_LOG_LEVEL
  value: {{ .Values.logLevel }}
{{- include "tonewright.caEnv" . }}
{{- end }}

{{/* Environment of a component's container. Takes (dict "root" $ "component" name). */}}
{{- define "tonewright.env" -}}
{{- $root := .root }}
{{- $allFacts := include "tonewright.facts" . | fromYaml }}
{{- $facts := get $allFacts .component }}
{{- $values := include "tonewright.values" . | fromYaml }}
{{- include "tonewright.processEnv" $root }}
- name: TONEWRIGHT_MIGRATE_ON_START
  value: "false"
- name: TONEWRIGHT_DRAIN_S
  value: {{ $values.drainSeconds | int64 | quote }}
- name: TONEWRIGHT_GRACE_S
  value: {{ $values.graceSeconds | int64 | quote }}
- name: TONEWRIGHT_OPS_HOST
  value: 0.0.0.0
{{- if $facts.ports.grpc }}
- name: TONEWRIGHT_GRPC_HOST
  value: 0.0.0.0
- name: TONEWRIGHT_TRUSTED_KEYS_DIR
  value: /etc/tonewright/trusted
{{- end }}
- name: TONEWRIGHT_SIGNING_KEY_FILE
  value: /etc/tonewright/keys/{{ $facts.service }}.key
{{- with $root.Values.telemetry.otlpEndpoint }}
- name: TONEWRIGHT_OTLP_ENDPOINT
  value: {{ . | quote }}
{{- end }}
{{- range $peer, $callers := $root.Files.Get "files/callers.yaml" | fromYaml }}
{{- if has $facts.service $callers }}
- name: TONEWRIGHT_{{ upper $peer }}_TARGET
  value: {{ include "tonewright.fullname" $root }}-{{ $peer }}:{{ (get $allFacts $peer).ports.grpc }}
{{- end }}
{{- end }}
{{- if has "database" $facts.uses }}
{{ include "tonewright.databaseEnv" (dict "root" $root "role" "app" "variable" "TONEWRIGHT_DATABASE_URL" "password" true) }}
{{- end }}
{{- if has "broker" $facts.uses }}
{{ include "tonewright.brokerEnv" $root }}
{{- end }}
{{- if has "objects" $facts.uses }}
{{ include "tonewright.objectsEnv" $root }}
{{- end }}
{{- if has "openai" $facts.uses }}
{{- include "tonewright.openaiEnv" $root }}
{{- end }}
{{- if has "replicate" $facts.uses }}
{{- include "tonewright.replicateEnv" $root }}
{{- end }}
{{- include (printf "tonewright.%sEnv" $facts.service) $root }}
{{- if eq .component "stems-worker" }}
{{- include "tonewright.stemsWorkerEnv" $root }}
{{- end }}
{{- with $values.slots }}
- name: TONEWRIGHT_{{ upper $facts.service }}_SLOTS
  value: {{ . | int64 | quote }}
{{- end }}
{{- with concat $root.Values.podDefaults.extraEnv $values.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "tonewright.openaiEnv" }}
{{- with .Values.openai }}
{{- if .existingSecret }}
{{ include "tonewright.secretEnv" (list "TONEWRIGHT_PROMPT_OPENAI_API_KEY" .existingSecret .apiKeyKey) }}
- name: TONEWRIGHT_PROMPT_OPENAI_BASE_URL
  value: {{ .baseUrl | quote }}
- name: TONEWRIGHT_PROMPT_OPENAI_MODEL
  value: {{ .model | quote }}
{{- end }}
{{- end }}
{{- end }}

{{- define "tonewright.replicateEnv" }}
{{- with .Values.replicate }}
{{- if .existingSecret }}
{{ include "tonewright.secretEnv" (list "TONEWRIGHT_DATASETS_REPLICATE_TOKEN" .existingSecret .tokenKey) }}
{{- with .trainer }}
- name: TONEWRIGHT_DATASETS_TRAINER
  value: {{ . | quote }}
{{- end }}
- name: TONEWRIGHT_DATASETS_TRAINING_PRICE_USD_MICROS_PER_S
  value: {{ .priceUsdMicrosPerSecond | int64 | quote }}
- name: TONEWRIGHT_DATASETS_TRAINING_CAP_USD_MICROS
  value: {{ .trainingCapUsdMicros | int64 | quote }}
- name: TONEWRIGHT_DATASETS_TRAINING_DAY_CAP_USD_MICROS
  value: {{ .dayCapUsdMicros | int64 | quote }}
{{- end }}
{{- end }}
{{- end }}

{{- define "tonewright.gatewayEnv" }}
{{- $gateway := .Values.gateway }}
- name: TONEWRIGHT_GATEWAY_HOST
  value: 0.0.0.0
- name: TONEWRIGHT_GATEWAY_PUBLIC_URL
  value: {{ include "tonewright.publicUrl" . | quote }}
- name: TONEWRIGHT_GATEWAY_API_KEYS_FILE
  value: /etc/tonewright/api-keys/{{ $gateway.apiKeys.fileKey }}
- name: TONEWRIGHT_GATEWAY_MAX_UPLOAD_BYTES
  value: {{ .Values.maxUploadBytes | int64 | quote }}
- name: TONEWRIGHT_GATEWAY_RATE_LIMIT_PER_S
  value: {{ $gateway.rateLimit.perSecond | quote }}
- name: TONEWRIGHT_GATEWAY_RATE_LIMIT_BURST
  value: {{ $gateway.rateLimit.burst | int64 | quote }}
{{- with $gateway.corsOrigins }}
- name: TONEWRIGHT_GATEWAY_CORS_ORIGINS
  value: {{ join "," . | quote }}
{{- end }}
{{- with $gateway.oidc }}
{{- if .issuer }}
- name: TONEWRIGHT_GATEWAY_OIDC_ISSUER
  value: {{ .issuer | quote }}
- name: TONEWRIGHT_GATEWAY_OIDC_AUDIENCE
  value: {{ .audience | quote }}
- name: TONEWRIGHT_GATEWAY_OIDC_PRINCIPAL_CLAIM
  value: {{ .principalClaim | quote }}
- name: TONEWRIGHT_GATEWAY_OIDC_PRINCIPAL_PREFIX
  value: {{ .principalPrefix | quote }}
- name: TONEWRIGHT_GATEWAY_OIDC_OPERATOR_CLAIM
  value: {{ .operatorClaim | quote }}
{{- end }}
{{- end }}
{{- end }}

{{- define "tonewright.promptEnv" }}{{ end }}
{{- define "tonewright.datasetsEnv" }}{{ end }}

{{- define "tonewright.sessionsEnv" }}
- name: TONEWRIGHT_SESSIONS_MAX_UPLOAD_BYTES
  value: {{ .Values.maxUploadBytes | int64 | quote }}
{{- /* Two measurements at once stay below the pod's limit: a hostile file ends its own process, not the pod. */}}
- name: TONEWRIGHT_SESSIONS_PROBE_MEMORY_BYTES
  value: "402653184"
{{- end }}

{{- define "tonewright.stemsEnv" }}
{{- with .Values.stems }}
- name: TONEWRIGHT_STEMS_ENGINE
  value: {{ .engine }}
- name: TONEWRIGHT_STEMS_DEVICE
  value: {{ .device | quote }}
- name: TONEWRIGHT_STEMS_PRECISION
  value: {{ .precision }}
- name: TONEWRIGHT_STEMS_MAX_DURATION_S
  value: {{ .maxDurationSeconds | int64 | quote }}
{{- with .defaultModel }}
- name: TONEWRIGHT_STEMS_DEFAULT_MODEL
  value: {{ . | quote }}
{{- end }}
{{- if eq .engine "demucs" }}
- name: TONEWRIGHT_STEMS_MODELS_DIR
  value: /models
{{- end }}
{{- end }}
{{- end }}

{{/* What only the worker is told. */}}
{{- define "tonewright.stemsWorkerEnv" }}
{{- with .Values.stemsWorker }}
{{- with .memoryBudgetBytes }}
- name: TONEWRIGHT_STEMS_MEMORY_BUDGET_BYTES
  value: {{ . | int64 | quote }}
{{- end }}
{{- /* A twentieth is left: the kubelet ends a pod whose scratch space grows beyond its limit. */}}
- name: TONEWRIGHT_STEMS_WORK_LIMIT_BYTES
  value: {{ div (mul (include "tonewright.bytes" .scratchSizeLimit | int64) 19) 20 | quote }}
{{- end }}
{{- end }}

{{- define "tonewright.realtimeEnv" }}
{{- $realtime := .Values.realtime }}
- name: TONEWRIGHT_REALTIME_SOCKET_HOST
  value: 0.0.0.0
- name: TONEWRIGHT_REALTIME_SOCKET_PUBLIC_URL
  value: {{ include "tonewright.socketPublicUrl" . | quote }}
- name: TONEWRIGHT_REALTIME_SOCKET_ORIGINS
  value: {{ $realtime.socket.origins | default (prepend .Values.gateway.corsOrigins (include "tonewright.publicUrl" .)) | join "," | quote }}
- name: TONEWRIGHT_REALTIME_MAX_CONNECTIONS
  value: {{ $realtime.maxConnections | int64 | quote }}
- name: TONEWRIGHT_REALTIME_MAX_PERFORMANCES
  value: {{ $realtime.maxPerformances | int64 | quote }}
{{- end }}
