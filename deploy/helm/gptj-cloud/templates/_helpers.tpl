{{- define "gptj.name" -}}
{{- printf "%s-%s" .Release.Name "gptj-cloud" | trunc 50 | trimSuffix "-" -}}
{{- end -}}

{{- define "gptj.labels" -}}
app.kubernetes.io/name: gptj-cloud
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "gptj.secret" -}}
{{- .Values.existingSecret | default (include "gptj.name" .) -}}
{{- end -}}

{{- define "gptj.vllmUrl" -}}
{{- if .Values.vllm.url -}}{{ .Values.vllm.url }}{{- else if .Values.vllm.enabled -}}http://{{ include "gptj.name" . }}-vllm:8000{{- end -}}
{{- end -}}

{{- define "gptj.podSecurity" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
seccompProfile: { type: RuntimeDefault }
{{- end -}}

{{- define "gptj.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: { drop: [ALL] }
{{- end -}}

{{- /* A setting of one role overrides that of both. */ -}}
{{- define "gptj.settings" -}}
{{- range $name, $value := merge (dict) .own .shared }}
- name: {{ $name }}
  value: {{ $value | toString | quote }}
{{- end }}
{{- end -}}

{{- define "gptj.secretSettings" -}}
{{- $secret := include "gptj.secret" . -}}
{{- range $name := list "DATABASE_URL" "METRICS_TOKEN" }}
- name: {{ $name }}
  valueFrom: { secretKeyRef: { name: {{ $secret }}, key: {{ $name }} } }
{{- end }}
{{- end -}}
