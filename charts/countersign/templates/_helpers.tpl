{{- define "countersign.labels" -}}
app.kubernetes.io/name: countersign
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/part-of: countersign
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{- define "countersign.selector" -}}
app.kubernetes.io/name: countersign
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "countersign.secret" -}}
{{- .Values.tls.secretName | default "countersign-tls" }}
{{- end }}

{{- define "countersign.internalSecret" -}}
{{- .Values.tls.internalSecretName | default "countersign-internal" }}
{{- end }}

{{- define "countersign.image" -}}
{{- if .Values.image.digest }}
{{- printf "%s@%s" .Values.image.repository .Values.image.digest }}
{{- else }}
{{- printf "%s:%s" .Values.image.repository (.Values.image.tag | default .Chart.AppVersion) }}
{{- end }}
{{- end }}

{{- /* Certificate, key and authority in base64: the ones of the last release, or new ones.
The authority's own key is in a Secret apart, which the operator alone may read: it renews
the certificate long before its year is over, beside this one. */}}
{{- define "countersign.certificate" -}}
{{- $kept := lookup "v1" "Secret" .Release.Namespace "countersign-tls" }}
{{- if and $kept (hasKey $kept.data "ca.crt") }}
{{- $kept.data | toYaml }}
{{- include "countersign.authorityKey" (list . "countersign-webhook-authority") }}
{{- else }}
{{- $host := printf "countersign.%s.svc" .Release.Namespace }}
{{- $authority := genCA "countersign" 3650 }}
{{- $issued := genSignedCert $host nil (list $host) 365 $authority }}
{{- dict "ca.crt" ($authority.Cert | b64enc) "ca.key" ($authority.Key | b64enc) "tls.crt" ($issued.Cert | b64enc) "tls.key" ($issued.Key | b64enc) | toYaml }}
{{- end }}
{{- end }}

{{- /* A line with the key of an authority that was kept, if it was. */}}
{{- define "countersign.authorityKey" -}}
{{- $kept := lookup "v1" "Secret" (index . 0).Release.Namespace (index . 1) }}
{{- if and $kept (hasKey $kept.data "tls.key") }}
ca.key: {{ index $kept.data "tls.key" }}
{{- end }}
{{- end }}

{{- define "countersign.operate.labels" -}}
{{ include "countersign.labels" . | replace "app.kubernetes.io/name: countersign" "app.kubernetes.io/name: countersign-operate" }}
{{- end }}

{{- define "countersign.operate.selector" -}}
app.kubernetes.io/name: countersign-operate
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- /* What the two processes show each other, and the recorder to people: as above. */}}
{{- define "countersign.internal" -}}
{{- $kept := lookup "v1" "Secret" .Release.Namespace "countersign-internal" }}
{{- if and $kept (hasKey $kept.data "client.crt") }}
{{- $kept.data | toYaml }}
{{- include "countersign.authorityKey" (list . "countersign-internal-authority") }}
{{- else }}
{{- $authority := genCA "countersign-internal" 3650 }}
{{- $host := printf "countersign-recorder.%s.svc" .Release.Namespace }}
{{- $spool := genSignedCert "countersign-serve" nil (list "countersign-serve") 365 $authority }}
{{- $recorder := genSignedCert $host nil (list $host) 365 $authority }}
{{- $client := genSignedCert "countersign-recorder" nil nil 365 $authority }}
{{- $made := dict "ca.crt" ($authority.Cert | b64enc) "ca.key" ($authority.Key | b64enc) }}
{{- range $name, $issued := dict "spool" $spool "recorder" $recorder "client" $client }}
{{- $_ := set $made (printf "%s.crt" $name) ($issued.Cert | b64enc) }}
{{- $_ := set $made (printf "%s.key" $name) ($issued.Key | b64enc) }}
{{- end }}
{{- $made | toYaml }}
{{- end }}
{{- end }}

{{- define "countersign.placement" -}}
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
{{- range . }}
- name: {{ . }}
{{- end }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- /* As the restricted profile of Pod Security asks; of every container here. */}}
{{- define "countersign.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end }}

{{- define "countersign.podSecurity" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
fsGroupChangePolicy: OnRootMismatch
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{- /* What both processes ask: names, and the API server. */}}
{{- define "countersign.egress" -}}
- ports:
  - port: 53
    protocol: UDP
  - port: 53
    protocol: TCP
  to:
  - {{- toYaml .Values.networkPolicy.dns | nindent 4 }}
- ports:
  {{- range .Values.networkPolicy.apiServerPorts }}
  - port: {{ . }}
  {{- end }}
  {{- with .Values.networkPolicy.apiServerCIDRs }}
  to:
  {{- range . }}
  - ipBlock:
      cidr: {{ . }}
  {{- end }}
  {{- end }}
{{- end }}
