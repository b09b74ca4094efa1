import { holderOf } from '../metering/usage/ticket.ts';
import type { LogFields } from '../telemetry/logger.ts';
import type { AccountedEnding } from './run-ledger.ts';

/** The line in the log about an ended run: whose it was, what it took and how long. No prompt and no result. */
export function runEndFields({ ender, ticket, cost, execution, end }: AccountedEnding, createdAt: Date): LogFields {
  const holder = ticket === null ? null : holderOf(ticket);
  return {
    run_id: ender.runId,
    project_id: ender.projectId,
    ...(holder === null ? {} : { user_id: holder.userId }),
    ...(holder?.apiKeyId == null ? {} : { token_id: holder.apiKeyId }),
    state: 'failure' in end ? 'failed' : 'complete',
    ...('failure' in end ? { error: end.failure.error } : {}),
    prompt_tokens: cost?.promptTokens ?? 0,
    generated_tokens: cost?.generatedTokens ?? 0,
    queue_ms: Math.round(execution?.waits?.queuedMs ?? 0),
    compute_ms: Math.round(cost?.computeMs ?? 0),
    duration_ms: Math.max(0, ender.endedAt.getTime() - createdAt.getTime()),
  };
}
