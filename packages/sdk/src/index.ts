export type { ConnectionOptions, PipelineCloudOptions, SessionOptions, TokenOptions } from './client-options.ts';
export {
  AuthenticationError,
  ConflictError,
  ConnectionFailedError,
  InvalidRequestError,
  NotFoundError,
  PermissionDeniedError,
  PipelineApiError,
  QuotaExceededError,
  RateLimitedError,
  RunFailedError,
  ServerError,
  SessionEndedError,
  StreamInterruptedError,
  UnexpectedReplyError,
  WaitTimeoutError,
} from './errors.ts';
export type { Page } from './fields.ts';
export type { GenerateParameters } from './generate-parameters.ts';
export type { CallOptions, Confirmation, ConfirmedOptions, ListOptions } from './options.ts';
export type { PagePromise } from './pages.ts';
export { PipelineCloud } from './pipeline-cloud.ts';
export {
  type FinishReason,
  type GenerateDict,
  type GeneratedTexts,
  GPTJ_PIPELINE_ID,
  type Keep,
  type RawBeamCandidate,
  type RawTokenLogprob,
  type RunError,
  type RunState,
  type ScoreRow,
  type WebhookDeliveryEvent,
  type WebhookEvent,
} from './reply-types.ts';
export type {
  Admin,
  AdminOverview,
  MaintenanceChange,
  MaintenanceState,
  QueuedRun,
  ServerSetting,
} from './resources/admin.ts';
export type { AuditEntry, AuditOptions } from './resources/audit-records.ts';
export type {
  Auth,
  Identity,
  LinkSecret,
  NewAccount,
  Recovery,
  RecoveryCodesLeft,
  SessionEntry,
  SignIn,
} from './resources/auth.ts';
export type { EngineOptions, EngineReports, EngineSample, EngineStatus, HostedModel } from './resources/engine.ts';
export type {
  AccuracyChange,
  AnswerDivergence,
  DocumentChange,
  DocumentChangeOptions,
  EvaluationComparison,
  EvaluationTaskChange,
  PerplexityChange,
} from './resources/evaluation-comparisons.ts';
export type { EvaluationDocument, NewEvaluationDocument } from './resources/evaluation-documents.ts';
export type {
  EvaluatedModel,
  Evaluation,
  EvaluationDocumentOptions,
  EvaluationMetric,
  Evaluations,
  EvaluationTask,
  NewEvaluation,
  StoredEvaluationTask,
} from './resources/evaluations.ts';
export type { DataSets, Files, RunData, StoredFile } from './resources/files.ts';
export type { CountedUse, LimitReports, Limits, UsedTokens } from './resources/limits.ts';
export type {
  ComputeMetrics,
  CountOptions,
  ErrorMetrics,
  Latencies,
  LatencyMetrics,
  Metrics,
  MetricsBucket,
  MetricsOptions,
  Percentiles,
  PipelineMetrics,
  RunMetrics,
} from './resources/metrics.ts';
export type { ModelServing, Models, NewPull, NewServing, Pull, StoredModel, StoredModels } from './resources/models.ts';
export type { Pipeline, Pipelines, PipelineTag, PipelineTags } from './resources/pipelines.ts';
export type { Plan, PlanChange, PlanList, Plans } from './resources/plans.ts';
export type { NewPreset, Preset, Presets } from './resources/presets.ts';
export type { Invitation, Invitations, Invited, Member, Project, Projects } from './resources/projects.ts';
export type { CostAtMost, RunCheck, RunRefusal } from './resources/run-checks.ts';
export type {
  ChangesOptions,
  RunChange,
  RunInput,
  RunSummary,
  RunSummaryOptions,
  Runs,
} from './resources/runs.ts';
export type { ServedModel, ServerInfo, ServerReports } from './resources/server.ts';
export type { Preferences, Session, User } from './resources/session-records.ts';
export type {
  DetokenizedText,
  DetokenizeOptions,
  TextTokens,
  TokenizedText,
  TokenizeOptions,
} from './resources/tokenizer.ts';
export type {
  ApiToken,
  NewToken,
  Scope,
  TokenChange,
  Tokens,
} from './resources/tokens.ts';
export type {
  InvoiceLine,
  InvoicePreview,
  Storage,
  Usage,
  UsageBucket,
  UsageGroup,
  UsageOptions,
  UsageReports,
  UsageRow,
  UsageSums,
} from './resources/usage.ts';
export type { ListedUser, ProfileChange, UserChange, UserListOptions, Users } from './resources/users.ts';
export type { Webhook, WebhookChange, WebhookDelivery, Webhooks } from './resources/webhooks.ts';
export type { RetryNotice } from './retry.ts';
export {
  type GenerateOutput,
  hasEnded,
  type Money,
  type ResultFile,
  type Run,
  type RunTimings,
  type RunUsage,
  textsOf,
  throwIfFailed,
} from './run.ts';
export { RunClient } from './run-client.ts';
export type { DictParameters, PipelineData, Prompt, RunReference, TextParameters, UncheckedData } from './run-data.ts';
export type {
  AwaitOptions,
  GenerateOptions,
  ListRunsOptions,
  RunOptions,
  StreamOptions,
  WaitOptions,
} from './run-options.ts';
export { type BeamCandidate, parseBeamCandidate, type RunEvent, type RunStream } from './run-stream.ts';
export { type LikelyToken, parseTokenLogprob, type TokenLogprob } from './token-logprob.ts';
export {
  type HeaderSource,
  type VerifyOptions,
  verifyWebhook,
  type WebhookFault,
  type WebhookMessage,
  WebhookVerificationError,
} from './webhook-message.ts';
