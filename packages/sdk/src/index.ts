export {
  AuthenticationError,
  ConnectionFailedError,
  InvalidRequestError,
  NotFoundError,
  PipelineApiError,
  RateLimitedError,
  RunFailedError,
  ServerError,
  UnexpectedReplyError,
} from './errors.ts';
export { type CallOptions, type ListRunsOptions, PipelineCloud, type PipelineCloudOptions } from './pipeline-cloud.ts';
export { type ResultFile, type Run, type RunPage, throwIfFailed } from './run.ts';
