import { ApiError, type ErrorCode } from '@gptj-cloud/protocol';

/** An error as plain data. */
export type WireError =
  | {
      readonly kind: 'api';
      readonly code: ErrorCode;
      readonly message: string;
      readonly details: ApiError['details'];
      readonly retryAfterSeconds: number | null;
    }
  /** A bug: the log has its stack, the client does not. */
  | { readonly kind: 'unexpected'; readonly message: string; readonly stack: string };

export function toWireError(error: unknown): WireError {
  if (error instanceof ApiError) {
    const { code, message, details, retryAfterSeconds } = error;
    return { kind: 'api', code, message, details, retryAfterSeconds };
  }
  return error instanceof Error
    ? { kind: 'unexpected', message: error.message, stack: error.stack ?? '' }
    : { kind: 'unexpected', message: String(error), stack: '' };
}

export function fromWireError(wire: WireError): Error {
  if (wire.kind === 'api') {
    const { code, message, details, retryAfterSeconds } = wire;
    return new ApiError(code, {}, { message, details, ...(retryAfterSeconds === null ? {} : { retryAfterSeconds }) });
  }
  const error = new Error(wire.message);
  error.stack = wire.stack;
  return error;
}
