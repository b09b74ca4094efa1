/** Why the server of an engine did not answer as expected. */
export type RemoteFailureKind =
  /** 429: it has too much to do, and may be asked again. */
  | 'busy'
  /** 502, 503, 504: it is starting, or has ended behind a proxy. */
  | 'down'
  /** No connection; it may be starting. */
  | 'unreachable'
  /** The connection ended within a reply. */
  | 'cut'
  /** 400, 413, 422: it does not take this request. */
  | 'refused'
  /** 401, 403. */
  | 'unauthorised'
  /** 404: it has no such model, or is another kind of server. */
  | 'missing'
  /** A redirect, another status, or a reply of another form. */
  | 'broken';

/** What a server says of itself is shown as far as one line. */
const MAX_SHOWN = 300;

export class RemoteFailure extends Error {
  override readonly name = 'RemoteFailure';
  readonly kind: RemoteFailureKind;
  /** When to ask again, as the server says; null: it does not. */
  readonly retryAfterMs: number | null;

  constructor(
    kind: RemoteFailureKind,
    message: string,
    { retryAfterMs = null, ...options }: ErrorOptions & { readonly retryAfterMs?: number | null } = {},
  ) {
    super(message, options);
    this.kind = kind;
    this.retryAfterMs = retryAfterMs;
  }

  /** The failure of a reply with a status from 300 on. */
  static ofStatus(status: number, body: string, retryAfter: string | undefined): RemoteFailure {
    const message = `status ${status}: ${describeBody(body)}`;
    switch (status) {
      case 400:
      case 413:
      case 422:
        return new RemoteFailure('refused', message);
      case 401:
      case 403:
        return new RemoteFailure('unauthorised', message);
      case 404:
        return new RemoteFailure('missing', message);
      case 429:
        return new RemoteFailure('busy', message, { retryAfterMs: readRetryAfter(retryAfter) });
      case 502:
      case 503:
      case 504:
        return new RemoteFailure('down', message, { retryAfterMs: readRetryAfter(retryAfter) });
      default:
        return new RemoteFailure(
          'broken',
          status < 400 ? `status ${status}: redirects are not followed; set the address that it names` : message,
        );
    }
  }

  /** Whether the same request may succeed later, as long as nothing of its reply has arrived. */
  get mayPass(): boolean {
    return ['busy', 'down', 'unreachable', 'cut'].includes(this.kind);
  }
}

/** `Retry-After` in seconds or as a date; null: neither. */
function readRetryAfter(header: string | undefined): number | null {
  if (header === undefined) return null;
  if (/^\d{1,6}$/.test(header.trim())) return Number(header) * 1000;
  const date = Date.parse(header);
  return Number.isNaN(date) ? null : Math.max(0, date - Date.now());
}

/** The message of an error in OpenAI's or vLLM's form, else the text, on one line. */
function describeBody(text: string): string {
  return oneLine(messageOf(text) ?? text);
}

function messageOf(text: string): string | null {
  try {
    const body: unknown = JSON.parse(text);
    const { error, message, detail } = toRecord(body);
    const found = [toRecord(error).message, message, error, detail].find((each) => typeof each === 'string');
    return typeof found === 'string' ? found : null;
  } catch {
    return null;
  }
}

export function oneLine(text: string): string {
  // A text of a server may be as long as a reply: only its start is looked at.
  const line = text
    .slice(0, 4 * MAX_SHOWN)
    .replaceAll(/[\p{C}\s]+/gu, ' ')
    .trim();
  if (line === '') return 'without a message';
  return line.length > MAX_SHOWN ? `${line.slice(0, MAX_SHOWN)}…` : line;
}

function toRecord(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}
