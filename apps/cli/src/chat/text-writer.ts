/** The model of a chat: it continues a text. */

export interface WriteRequest {
  readonly text: string;
  /** Parameters of generate by their wire names. */
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly signal: AbortSignal;
  /** Receives the continuation in pieces. */
  readonly onText: (text: string) => Promise<void>;
}

export interface WriteResult {
  /** Speeds, as `generate` and `run` print them. */
  readonly line: string;
  readonly warnings: readonly string[];
  /** Tokens at the beginning of the text that did not fit the context. */
  readonly leftOut: number;
}

export interface TextWriter {
  /** Model and place, for the first line. */
  readonly description: string;
  /** Maximum number of tokens of text and continuation together. */
  readonly contextLength: number;
  /** Number of tokens of a text. */
  count(text: string, signal: AbortSignal): Promise<number>;
  /** Continue the text. Rejects when the signal aborts; the pieces so far are valid. */
  write(request: WriteRequest): Promise<WriteResult>;
  close(): Promise<void>;
}

/** Positions of the context for the text, that the requested new tokens leave. */
export function roomFor(contextLength: number, parameters: Readonly<Record<string, unknown>>): number {
  const { max_new_tokens: maxNew, response_length: length } = parameters;
  const tokens = typeof length === 'number' ? length : typeof maxNew === 'number' ? maxNew : 0;
  return Math.max(1, contextLength - Math.max(1, tokens));
}
