/** Tokens of the server in the form of the document. */
import type { Run, RunEvent, TokenLogprob } from '@gptj-cloud/sdk';
import { parseTokenLogprob } from '@gptj-cloud/sdk';
import { type DraftToken, UNKNOWN_TOKEN } from '../document/draft.ts';
import type { Arrival } from '../document/generation.ts';

type TokenEvent = Extract<RunEvent, { readonly type: 'token' }>;

export function arrivalOf(key: string, event: TokenEvent): Arrival {
  const { index, text, tokens, logprobs } = event;
  return { key, sequence: index, text, tokens: tokens.map((id, at) => tokenOf(id, logprobs?.[at])) };
}

/**
 * The sequences of a complete run from its result, for a page that has missed its events. A result without log-probabilities
 * has texts alone.
 */
export function arrivalsOfResult(key: string, run: Run): readonly Arrival[] {
  const result = run.resultPreview?.[0];
  if (Array.isArray(result)) return result.map((text, sequence) => textArrival(key, sequence, String(text)));
  if (typeof result !== 'object' || result === null) return [];
  const fields: Readonly<Record<string, unknown>> = { ...result };
  const texts: readonly unknown[] = Array.isArray(fields.texts) ? fields.texts : [];
  const logprobs: readonly unknown[] = Array.isArray(fields.logprobs) ? fields.logprobs : [];
  return texts.map((text, sequence) => {
    const reports = logprobs[sequence];
    if (!Array.isArray(reports)) return textArrival(key, sequence, String(text));
    const tokens = reports.map(parseTokenLogprob).map((report) => tokenOf(report.token, report));
    return { key, sequence, text: String(text), tokens };
  });
}

function textArrival(key: string, sequence: number, text: string): Arrival {
  return { key, sequence, text, tokens: [{ id: UNKNOWN_TOKEN, label: null, logprob: null, top: [] }] };
}

function tokenOf(id: number, report: TokenLogprob | undefined): Omit<DraftToken, 'text'> {
  if (report === undefined) return { id, label: null, logprob: null, top: [] };
  const top = report.top.map(({ token, text, logprob, processed }) => ({
    id: token,
    label: text,
    logprob,
    ...(processed !== undefined && { processed }),
  }));
  const { processed } = report;
  return { id, label: report.text, logprob: report.logprob, top, ...(processed !== undefined && { processed }) };
}
