{{- /* The pod of a role: dict root, role, values, command, env (lines). */ -}}
{{- define "gptj.pod" -}}
{{- $root := .root -}}
{{- $stopSeconds := 10 -}}
metadata:
  labels:
    {{- include "gptj.labels" $root | nindent 4 }}
    app.kubernetes.io/component: {{ .role }}
  annotations:
    # A changed Secret of the chart restarts the pods.
    checksum/values: {{ printf "%s%s" (toYaml $root.Values.database) (toYaml $root.Values.postgres) | sha256sum }}
spec:
  automountServiceAccountToken: false
  enableServiceLinks: false
  securityContext: {{- include "gptj.podSecurity" $root | nindent 4 }}
  {{- with $root.Values.imagePullSecrets }}
  imagePullSecrets: {{- toYaml . | nindent 4 }}
  {{- end }}
  # For the end of the drain, and of what does not stop.
  terminationGracePeriodSeconds: {{ add .values.drainSeconds $stopSeconds 30 }}
  {{- with .values.nodeSelector }}
  nodeSelector: {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .values.tolerations }}
  tolerations: {{- toYaml . | nindent 4 }}
  {{- end }}
  topologySpreadConstraints:
    - maxSkew: 1
      topologyKey: kubernetes.io/hostname
      whenUnsatisfiable: ScheduleAnyway
      labelSelector:
        matchLabels:
          {{- include "gptj.labels" $root | nindent 10 }}
          app.kubernetes.io/component: {{ .role }}
  containers:
    - name: {{ .role }}
      image: {{ printf "%s:%s" $root.Values.image.repository ($root.Values.image.tag | default $root.Chart.AppVersion) | quote }}
      imagePullPolicy: {{ $root.Values.image.pullPolicy }}
      args: [{{ .command }}]
      env:
        - name: DRAIN_TIMEOUT_SECONDS
          value: {{ .values.drainSeconds | quote }}
        {{- .env | nindent 8 }}
        {{- include "gptj.settings" (dict "own" .values.settings "shared" $root.Values.settings) | nindent 8 }}
        {{- include "gptj.secretSettings" $root | nindent 8 }}
      ports: [{ name: http, containerPort: 8080 }]
      securityContext: {{- include "gptj.containerSecurity" $root | nindent 8 }}
      # Nothing listens while the model is loaded.
      startupProbe:
        httpGet: { path: /healthz, port: http }
        periodSeconds: 10
        failureThreshold: {{ max 6 (div $root.Values.model.loadSeconds 10) }}
      livenessProbe:
        httpGet: { path: /healthz, port: http }
        periodSeconds: 10
        timeoutSeconds: 5
        failureThreshold: 6
      readinessProbe:
        httpGet: { path: /readyz, port: http }
        periodSeconds: 5
        timeoutSeconds: 2
      lifecycle:
        preStop:
          # Proxies still send requests until they have learnt of the end.
          exec: { command: [node, -e, "setTimeout(() => {}, {{ mul $stopSeconds 1000 }})"] }
      resources: {{- toYaml .values.resources | nindent 8 }}
      volumeMounts:
        - { name: data, mountPath: /data }
        - { name: tmp, mountPath: /tmp }
        {{- if $root.Values.model.volume }}
        - { name: models, mountPath: /models, readOnly: true }
        {{- end }}
  volumes:
    - name: data
      emptyDir: {}
    - name: tmp
      emptyDir: {}
    {{- with $root.Values.model.volume }}
    - name: models
      {{- toYaml . | nindent 6 }}
    {{- end }}
{{- end -}}

{{- define "gptj.model" -}}
{{- with .Values.model.path }}
- name: GPTJ_MODEL
  value: {{ printf "/models/%s" . | quote }}
{{- end }}
{{- end -}}
