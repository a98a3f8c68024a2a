{{/*
Who may reach whom. files/callers.yaml says which service may call which, `tonewright.facts` which service a component
acts as, where it listens and what it uses; the table below joins them, and policies follow from it.

  as     name of the service in files/callers.yaml; a worker calls what its service may call
  grpc   port for the callers of its service, and for nobody else
  open   ports for clients of the platform
  ops    port with /metrics
  kept   port for the components that need `for`; development backends only
  needs  what it opens connections to, besides the services it may call
*/}}
{{- define "tonewright.network.table" -}}
{{- $table := dict
      "postgres" (dict "kept" 5432 "for" "database")
      "rabbitmq" (dict "kept" 5672 "for" "broker")
      "s3" (dict "kept" 8333 "for" "objects") }}
{{- $more := dict
      "gateway" (list "oidc")
      "stems" (list "weights" "webhooks")
      "stems-worker" (list "weights")
      "migrations" (list "database")
      "test" (list "clients" "objects") }}
{{- range $name, $facts := include "tonewright.facts" . | fromYaml }}
{{- $ports := $facts.ports | default dict }}
{{- $own := dict "needs" (concat ($facts.uses | default list) (get $more $name | default list)) }}
{{- with $facts.service }}
{{- $own = merge $own (dict "as" . "ops" ($ports.ops | default $ports.http)) }}
{{- end }}
{{- with $ports.grpc }}
{{- $own = set $own "grpc" . }}
{{- end }}
{{- with $ports.http | default $ports.socket }}
{{- $own = set $own "open" (list .) }}
{{- end }}
{{- $table = set $table $name $own }}
{{- end }}
{{- toYaml $table }}
{{- end }}

{{/*
Ports of what one need means outside the release, as JSON; an empty list where there is no such need, or where a
development backend is inside. Addresses cannot be known here, so that any address is allowed on these ports.
Takes (dict "root" $ "need" name).
*/}}
{{- define "tonewright.network.ports" -}}
{{- $values := .root.Values }}
{{- $ports := $values.networkPolicy.ports }}
{{- $found := list }}
{{- if eq .need "otlp" }}
{{- $found = ternary (append $ports.otlp (regexFind "[0-9]+$" $values.telemetry.otlpEndpoint)) list (ne $values.telemetry.otlpEndpoint "") }}
{{- else if eq .need "webhooks" }}
{{- $found = $ports.https }}
{{- else if eq .need "oidc" }}
{{- $found = ternary $ports.https list (ne $values.gateway.oidc.issuer "") }}
{{- else if eq .need "openai" }}
{{- $found = ternary $ports.https list (ne $values.openai.existingSecret "") }}
{{- else if eq .need "replicate" }}
{{- $found = ternary $ports.https list (ne $values.replicate.existingSecret "") }}
{{- else if eq .need "weights" }}
{{- $found = ternary $ports.https list (ne $values.stemsWorker.weights.download.url "") }}
{{- else if not $values.devBackends.enabled }}
{{- if eq .need "database" }}
{{- $found = append $ports.postgres $values.postgres.port }}
{{- else if eq .need "broker" }}
{{- $found = append $ports.broker $values.broker.port }}
{{- else if eq .need "objects" }}
{{- $endpoint := regexFind "endpoint=https?(://|%3A%2F%2F)[^/&]*" $values.objects.url }}
{{- $found = append $ports.objects (regexFind "[0-9]+$" (regexFind "(:|%3A)[0-9]+$" $endpoint)) }}
{{- end }}
{{- end }}
{{- $numbers := list }}
{{- range $found }}
{{- $numbers = append $numbers (int .) }}
{{- end }}
{{- without $numbers 0 | uniq | toJson }}
{{- end }}

{{/* One peer: the pods of a component. Takes (dict "root" $ "component" name). */}}
{{- define "tonewright.network.pods" -}}
podSelector:
  matchLabels:
    {{- include "tonewright.selectorLabels" . | nindent 4 }}
{{- end }}

{{/* A NetworkPolicy. Takes (dict "root" $ "component" name). */}}
{{- define "tonewright.netpol" -}}
{{- if .root.Values.networkPolicy.enabled }}
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: {{ include "tonewright.fullname" .root }}-{{ .component }}
  namespace: {{ .root.Release.Namespace }}
  labels:
    {{- include "tonewright.labels" . | nindent 4 }}
spec:
  podSelector:
    matchLabels:
      {{- include "tonewright.selectorLabels" . | nindent 6 }}
  policyTypes:
    - Ingress
    - Egress
  {{- with include "tonewright.netpol.ingress" . | trim }}
  ingress:
    {{- . | nindent 4 }}
  {{- else }}
  ingress: []
  {{- end }}
  egress:
    {{- include "tonewright.netpol.egress" . | trim | nindent 4 }}
{{- end }}
{{- end }}

{{- define "tonewright.netpol.ingress" -}}
{{- $root := .root }}
{{- $values := .root.Values.networkPolicy }}
{{- $table := include "tonewright.network.table" . | fromYaml }}
{{- $own := get $table .component }}
{{- with $own.grpc }}
{{- $callers := get ($root.Files.Get "files/callers.yaml" | fromYaml) $own.as }}
- from:
    {{- range $name, $peer := $table }}
    {{- if has $peer.as $callers }}
    - {{ include "tonewright.network.pods" (dict "root" $root "component" $name) | nindent 6 | trim }}
    {{- end }}
    {{- end }}
  ports:
    - {port: {{ . }}, protocol: TCP}
{{- end }}
{{- with $own.open }}
- ports:
    {{- range . }}
    - {port: {{ . }}, protocol: TCP}
    {{- end }}
  {{- with $values.clientsFrom }}
  from:
    {{- toYaml . | nindent 4 }}
    - {{ include "tonewright.network.pods" (dict "root" $root "component" "test") | nindent 6 | trim }}
  {{- end }}
{{- end }}
{{- $watchers := ternary $values.metricsFrom list (hasKey $own "ops") }}
{{- if and (eq .component "stems") $root.Values.stemsWorker.keda.enabled }}
{{- $watchers = concat $watchers $root.Values.stemsWorker.keda.from }}
{{- end }}
{{- with $watchers }}
- from:
    {{- toYaml . | nindent 4 }}
  ports:
    - {port: {{ $own.ops }}, protocol: TCP}
{{- end }}
{{- with $own.kept }}
- ports:
    - {port: {{ . }}, protocol: TCP}
  {{- /* Signed links lead clients to the object store itself. */}}
  {{- if or (ne $own.for "objects") $values.clientsFrom }}
  from:
    {{- range $name, $peer := $table }}
    {{- if has $own.for ($peer.needs | default list) }}
    - {{ include "tonewright.network.pods" (dict "root" $root "component" $name) | nindent 6 | trim }}
    {{- end }}
    {{- end }}
    {{- if eq $own.for "objects" }}
    {{- toYaml $values.clientsFrom | nindent 4 }}
    {{- end }}
  {{- end }}
{{- end }}
{{- with $values.extraIngress }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "tonewright.netpol.egress" -}}
{{- $root := .root }}
{{- $values := .root.Values.networkPolicy }}
{{- $callers := .root.Files.Get "files/callers.yaml" | fromYaml }}
{{- $table := include "tonewright.network.table" . | fromYaml }}
{{- $own := get $table .component }}
{{- /* To any address: a node's DNS cache answers on an address that no selector matches. */}}
- ports:
    - {port: 53, protocol: UDP}
    - {port: 53, protocol: TCP}
{{- range $name, $peer := $table }}
{{- $mayCall := and $peer.grpc $own.as (has $own.as (get $callers ($peer.as | default "") | default list)) }}
{{- $asClient := and $peer.open (has "clients" ($own.needs | default list)) }}
{{- $keeps := and $peer.kept $root.Values.devBackends.enabled (has $peer.for ($own.needs | default list)) }}
{{- if or $mayCall $asClient $keeps }}
- to:
    - {{ include "tonewright.network.pods" (dict "root" $root "component" $name) | nindent 6 | trim }}
  ports:
    {{- range ternary $peer.open (list ($peer.grpc | default $peer.kept)) (eq (toString $asClient) "true") }}
    - {port: {{ . }}, protocol: TCP}
    {{- end }}
{{- end }}
{{- end }}
{{- range ternary (append ($own.needs | default list) "otlp") ($own.needs | default list) (hasKey $own "as") }}
{{- with include "tonewright.network.ports" (dict "root" $root "need" .) | fromJsonArray }}
- ports:
    {{- range . }}
    - {port: {{ . }}, protocol: TCP}
    {{- end }}
{{- end }}
{{- end }}
{{- with $values.extraEgress }}
{{ toYaml . }}
{{- end }}
{{- end }}
