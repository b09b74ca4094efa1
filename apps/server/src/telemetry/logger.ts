import { formatForPeople } from './log-text.ts';

/** Fields of a log entry. They never contain prompts, results or tokens. */
export type LogFields = Readonly<Record<string, unknown>>;

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const;
/** Entries below the configured level are not written. */
export type LogLevel = (typeof LOG_LEVELS)[number];

export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}

export interface LoggerOptions {
  /** Default `info`. */
  readonly min?: LogLevel;
  /** `json`, the default: one object a line. `text`: for people, whose messages may take several lines. */
  readonly format?: 'json' | 'text';
  /** Colours in `text`. Default false. */
  readonly colours?: boolean;
}

/** Writes entries, with control characters escaped. An `error` field is written with its stack and causes. */
export function createLogger(
  write: (line: string) => void,
  clock: () => Date,
  { min = 'info', format = 'json', colours = false }: LoggerOptions = {},
): Logger {
  const log =
    (level: LogLevel) =>
    (message: string, fields: LogFields = {}): void => {
      if (LOG_LEVELS.indexOf(level) < LOG_LEVELS.indexOf(min)) return;
      const time = clock();
      if (format === 'text') {
        write(formatForPeople({ time, level, message, fields: plain(fields) }, colours));
        return;
      }
      write(`${JSON.stringify({ time: time.toISOString(), level, message, ...fields }, describeErrors)}\n`);
    };
  return { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') };
}

/** The fields as JSON has them. */
function plain(fields: LogFields): LogFields {
  return JSON.parse(JSON.stringify(fields, describeErrors)) as LogFields;
}

function describeErrors(_: string, value: unknown): unknown {
  return value instanceof Error ? describe(value) : value;
}

function describe(error: Error): LogFields {
  // Drizzle puts the parameters of a failed query into message and stack; they may hold prompts.
  if ('query' in error && 'params' in error) {
    return { name: error.name, message: 'query failed', query: error.query, cause: error.cause };
  }
  const code = 'code' in error && typeof error.code === 'string' ? { code: error.code } : {};
  return { name: error.name, ...code, message: error.message, stack: error.stack, cause: error.cause };
}
