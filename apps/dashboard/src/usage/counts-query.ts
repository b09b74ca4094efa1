import { queryOptions } from '@tanstack/react-query';
import { cloud } from '../api/cloud.ts';
import { keys } from '../api/keys.ts';
import { spanOf, type UsageRange } from './usage-range.ts';

/** Times of the runs of the project. */
export function latencyQuery(range: UsageRange, projectId: string) {
  const { bucket } = range;
  return queryOptions({
    queryKey: [...keys.usage, 'latency', projectId, range.from, range.to],
    queryFn: ({ signal }) => cloud().metrics.latency({ ...spanOf(range), bucket, signal }),
  });
}

/** Failed runs and refused requests of the project. */
export function errorsQuery(range: UsageRange, projectId: string) {
  const { bucket } = range;
  return queryOptions({
    queryKey: [...keys.usage, 'errors', projectId, range.from, range.to],
    queryFn: ({ signal }) => cloud().metrics.errors({ ...spanOf(range), bucket, signal }),
  });
}
