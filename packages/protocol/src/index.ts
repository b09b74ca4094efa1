export {
  ApiError,
  type ErrorBody,
  type ErrorDetails,
  type ErrorValues,
  errorBodySchema,
  toErrorBody,
} from './api-error.ts';
export { ERROR_CATALOGUE, type ErrorCode, type ErrorEntry } from './error-catalogue.ts';
export { parseRunEvent, type RunEvent, runEventData, runEventSchema } from './events.ts';
export {
  type DataCreate,
  type DataGet,
  dataCreateSchema,
  dataGetSchema,
  type FileGet,
  fileGetSchema,
} from './files.ts';
export { GPTJ_PIPELINE_ID, ID_KINDS, type IdKind, isId, newId } from './ids.ts';
export { type Paginated, paginatedSchema } from './paginated.ts';
export { type PipelineGet, type ProjectGet, pipelineGetSchema, projectGetSchema } from './pipelines.ts';
export {
  type PlanChange,
  type PlanChangeResult,
  type PlanGet,
  type PlanList,
  type PlanRequest,
  planChangeResultSchema,
  planChangeSchema,
  planGetSchema,
  planListSchema,
  planRequestSchema,
} from './plans.ts';
export {
  invalidParameter,
  invalidParameters,
  MAX_PAGE,
  type OrderBy,
  type PageQuery,
  parseOrderBy,
  parsePageQuery,
  parseQueryBoolean,
  type QueryValue,
} from './query.ts';
export {
  finishReasonSchema,
  isTerminal,
  RUN_ERRORS,
  RUN_STATES,
  type RunCreate,
  type RunError,
  type RunErrorInfo,
  type RunGet,
  type RunPage,
  type RunState,
  type RunUsage,
  runCreateSchema,
  runErrorInfoSchema,
  runErrorSchema,
  runGetSchema,
  runPageSchema,
  runStateSchema,
  runUsageSchema,
} from './runs.ts';
export { timestampSchema, toTimestamp } from './timestamp.ts';
export {
  type InvoiceLine,
  type InvoicePreview,
  invoiceLineSchema,
  invoicePreviewSchema,
  parseQueryDay,
  parseQueryMonth,
  parseUsageGroup,
  USAGE_GROUPS,
  type UsageGet,
  type UsageGroup,
  type UsageRow,
  type UsageSums,
  usageGetSchema,
  usageRowSchema,
  usageSumsSchema,
} from './usage.ts';
export { type TokenGet, tokenGetSchema, type UserGetDetailed, userGetDetailedSchema } from './users.ts';
