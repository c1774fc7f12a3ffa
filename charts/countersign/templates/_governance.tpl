{{- /* Of an object that the installation begins with: what its digest is made of, as JSON. */}}
{{- define "countersign.founding" -}}
{{- dict "apiVersion" .apiVersion "kind" .kind "metadata" (dict "name" .metadata.name) "spec" .spec | toRawJson }}
{{- end }}

{{- /* Variables of serve. */}}
{{- define "countersign.governance.serve" -}}
{{- with .Values.governance.rootRoster }}
- name: COUNTERSIGN_GOVERNANCE_ROOT_ROSTER
  value: {{ . | quote }}
- name: COUNTERSIGN_GOVERNANCE_RECOVERY_GROUPS
  value: {{ join "," $.Values.recoveryGroups | quote }}
{{- $digests := list }}
{{- range $.Values.governance.objects }}
{{- $digests = append $digests (printf "sha256:%s" (include "countersign.founding" . | sha256sum)) }}
{{- end }}
- name: COUNTERSIGN_GOVERNANCE_FOUNDING
  value: {{ join "," $digests | quote }}
{{- end }}
{{- end }}

{{- /* Variables, mounts and volumes of operate. */}}
{{- define "countersign.governance.operate.env" -}}
{{- if .Values.governance.objects }}
- name: COUNTERSIGN_BEGINNING_DIRECTORY
  value: /etc/countersign/beginning
- name: COUNTERSIGN_BEGINNING_ROOT_ROSTER
  value: {{ required "governance.rootRoster: expected its name beside governance.objects" .Values.governance.rootRoster | quote }}
{{- end }}
{{- end }}

{{- define "countersign.governance.operate.mount" -}}
{{- if .Values.governance.objects }}
- name: beginning
  mountPath: /etc/countersign/beginning
  readOnly: true
{{- end }}
{{- end }}

{{- define "countersign.governance.operate.volume" -}}
{{- if .Values.governance.objects }}
- name: beginning
  configMap:
    name: countersign-beginning
{{- end }}
{{- end }}
