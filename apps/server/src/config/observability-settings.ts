/** Settings of logs, metrics and traces. */
import { LOG_LEVELS, type LogLevel } from '../telemetry/logger.ts';
import { choiceSetting, isHttpUrl, setting, textSetting, tokenSetting } from './setting.ts';

const LOG_FORMATS = ['auto', 'json', 'text'] as const;
export type LogFormat = (typeof LOG_FORMATS)[number];
const NO_HEADERS: Readonly<Record<string, string>> = {};

export const observabilitySettings = {
  LOG_LEVEL: choiceSetting<LogLevel>({
    group: 'Observability',
    help: '`debug`, `info`, `warn`, `error` or `silent`; probes, scrapes and the files of the dashboard are at `debug`',
    fallback: 'info',
    names: LOG_LEVELS,
  }),
  LOG_FORMAT: choiceSetting<LogFormat>({
    group: 'Observability',
    help: '`json`: one object a line; `text`: lines for people; `auto`: `text` on a terminal',
    fallback: 'auto',
    names: LOG_FORMATS,
  }),
  METRICS_TOKEN: tokenSetting({
    group: 'Observability',
    help: 'a bearer token that is valid for `/metrics` only',
  }),
  OTEL_EXPORTER_OTLP_ENDPOINT: setting({
    group: 'Observability',
    help: 'base URL of a collector that accepts OTLP over HTTP',
    fallback: null,
    shownDefault: 'no traces',
    read: (url) => (isHttpUrl(url) ? url : undefined),
    expected: 'an http(s) address',
  }),
  OTEL_EXPORTER_OTLP_HEADERS: setting({
    group: 'Observability',
    help: '`name=value,name=value`, values percent-encoded',
    fallback: NO_HEADERS,
    shownDefault: 'none',
    read: readOtlpHeaders,
    expected: 'name=value,name=value',
    isSecret: true,
  }),
  OTEL_SERVICE_NAME: textSetting({
    group: 'Observability',
    help: 'service name in traces',
    fallback: 'gptj-cloud',
  }),
} as const;

/** As the OpenTelemetry specification defines OTEL_EXPORTER_OTLP_HEADERS. */
function readOtlpHeaders(text: string): Readonly<Record<string, string>> | undefined {
  const headers: [string, string][] = [];
  for (const pair of text.split(',').filter((entry) => entry.trim() !== '')) {
    const [name = '', value] = splitOnce(pair, '=').map((part) => part.trim());
    if (value === undefined || !/^[\w!#$%&'*+.^`|~-]+$/.test(name) || !/^[\x20-\x7e]*$/.test(value)) return undefined;
    try {
      headers.push([name, decodeURIComponent(value)]);
    } catch {
      // Not percent-encoded UTF-8.
      return undefined;
    }
  }
  return Object.fromEntries(headers);
}

/** The texts before and after the first mark; one text when there is no mark. */
function splitOnce(text: string, mark: string): readonly string[] {
  const at = text.indexOf(mark);
  return at === -1 ? [text] : [text.slice(0, at), text.slice(at + mark.length)];
}
