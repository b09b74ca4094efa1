import { AsyncLocalStorage } from 'node:async_hooks';
import { measureWork } from '../../telemetry/work-meter.ts';
import type { RequestLoad } from './request-load.ts';

const loads = new AsyncLocalStorage<RequestLoad>();

/** Serve a request: its work is measured, and code below finds its load. */
export function serveWithLoad<Result>(load: RequestLoad, work: () => Result): Result {
  return measureWork(load, () => loads.run(load, work));
}

/** The load of the request that the caller serves; undefined outside of requests. */
export function currentLoad(): RequestLoad | undefined {
  return loads.getStore();
}
