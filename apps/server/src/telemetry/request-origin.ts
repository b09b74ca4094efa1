import { context, propagation } from '@opentelemetry/api';
import type { RequestFigures } from './request-figures.ts';

/** Headers by which another server continues the trace of the current request, and logs under its id. */
export function requestOrigin(figures: RequestFigures | undefined): Readonly<Record<string, string>> {
  const headers: Record<string, string> = {};
  propagation.inject(context.active(), headers);
  if (figures !== undefined) headers['x-request-id'] = figures.requestId;
  return headers;
}
