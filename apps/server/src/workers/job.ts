/**
 * Work on a request that may take long: reading a body, decoding a pickle, compiling a pattern. A job is a pure function of
 * plain data, so that it can be executed on the server's thread when it is small and on a worker thread otherwise.
 */

/** A kind of job. `Tools` are the values that every thread has of its own, such as the tokenizer. */
export interface Job<Tools, Input, Output> {
  /** Unique over all kinds: a worker thread finds the function by it. */
  readonly name: string;
  /** What the job reads, for errors: "the body". */
  readonly what: string;
  /** Bytes of the input: the time of a job grows at most in proportion to it, patterns aside. */
  readonly size: (input: Input) => number;
  /** Throws `ApiError` to refuse; `NeedsWorker` where the tools of the server's thread do not do what the input asks for. */
  readonly run: (tools: Tools, input: Input) => Output;
  /** Buffers that move to the thread with the input, whose sender must not use them again. Default: all are copied. */
  readonly moved?: (input: Input) => readonly Uint8Array[];
  /** The same for the output. */
  readonly returned?: (output: Output) => readonly Uint8Array[];
}

/** Any job of a thread with these tools. Its values belong to the `Job` of the same name, so their types are known to fit. */
export interface AnyJob<Tools> {
  readonly name: string;
  readonly run: (tools: Tools, input: never) => unknown;
  readonly returned?: (output: never) => readonly Uint8Array[];
}

/** Thrown by tools on the server's thread: the work could take longer than that thread may be busy. */
export class NeedsWorker extends Error {
  override readonly name = 'NeedsWorker';
}

/** Buffers that can be moved: those that a view covers as a whole. */
export function movable(views: readonly Uint8Array[]): ArrayBuffer[] {
  return views
    .filter(({ byteLength, buffer }) => buffer instanceof ArrayBuffer && byteLength === buffer.byteLength)
    .map(({ buffer }) => buffer as ArrayBuffer);
}
