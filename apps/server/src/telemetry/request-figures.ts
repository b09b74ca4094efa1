import { currentContext, withContext } from './request-context.ts';

/** What the generations of one request took, for its line in the log. */
export interface RequestFigures {
  readonly requestId: string;
  /** Null until the request has generated. */
  model: string | null;
  promptTokens: number;
  generatedTokens: number;
  /** Until the first evaluation; of several generations the longest. */
  queueMs: number;
}

/** Serve a request: the generations that it starts add to its figures. */
export function withRequestFigures<Result>(own: RequestFigures, work: () => Result): Result {
  return withContext({ figures: own }, work);
}

/** The figures of the request that the caller serves; undefined outside of requests. */
export function currentRequestFigures(): RequestFigures | undefined {
  return currentContext()?.figures;
}

export function newRequestFigures(requestId: string): RequestFigures {
  return { requestId, model: null, promptTokens: 0, generatedTokens: 0, queueMs: 0 };
}
