import { currentMeter, measureWork, type WorkMeter } from '../../telemetry/work-meter.ts';
import type { RequestLoad } from './request-load.ts';

/** Serve a request: its work is measured, and code below finds its load. */
export function serveWithLoad<Result>(load: RequestLoad, work: () => Result): Result {
  return measureWork(load, work);
}

/** The load of the request that the caller serves; undefined outside of requests, and in work for many of them. */
export function currentLoad(): RequestLoad | undefined {
  const meter = currentMeter();
  return meter !== undefined && isLoad(meter) ? meter : undefined;
}

function isLoad(meter: WorkMeter): meter is RequestLoad {
  return 'holdStream' in meter;
}
