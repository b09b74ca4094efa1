import { AsyncLocalStorage } from 'node:async_hooks';

/** What the generations of one request took, for its line in the log. */
export interface RequestFigures {
  /** Null until the request has generated. */
  model: string | null;
  promptTokens: number;
  generatedTokens: number;
  /** Until the first evaluation; of several generations the longest. */
  queueMs: number;
}

const figures = new AsyncLocalStorage<RequestFigures>();

/** Serve a request: the generations that it starts add to its figures. */
export function withRequestFigures<Result>(own: RequestFigures, work: () => Result): Result {
  return figures.run(own, work);
}

/** The figures of the request that the caller serves; undefined outside of requests. */
export function currentRequestFigures(): RequestFigures | undefined {
  return figures.getStore();
}

export function newRequestFigures(): RequestFigures {
  return { model: null, promptTokens: 0, generatedTokens: 0, queueMs: 0 };
}
