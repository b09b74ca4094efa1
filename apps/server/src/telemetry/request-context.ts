/**
 * What belongs to the request that the running code serves. One `AsyncLocalStorage` for all of it: Node 20 copies each
 * storage to every promise by itself, which cost a tenth of a short request with three of them.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { RequestFigures } from './request-figures.ts';
import type { WorkMeter } from './work-meter.ts';

export interface RequestContext {
  readonly meter?: WorkMeter;
  readonly figures?: RequestFigures;
}

const contexts = new AsyncLocalStorage<RequestContext>();

/** Do work with more of the context set than the caller has. */
export function withContext<Result>(added: RequestContext, work: () => Result): Result {
  return contexts.run({ ...contexts.getStore(), ...added }, work);
}

/** Undefined outside of requests. */
export function currentContext(): RequestContext | undefined {
  return contexts.getStore();
}
