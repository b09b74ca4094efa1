import type { ApiError } from '@gptj-cloud/protocol';
import type { DescribedSchema } from './openapi/operation.ts';

/** The error format of one API. */
export interface ErrorDialect {
  /** Schema of the body, for the reference. */
  readonly schema: DescribedSchema;
  readonly write: (error: ApiError, requestId: string) => { readonly status: number; readonly body: unknown };
}
