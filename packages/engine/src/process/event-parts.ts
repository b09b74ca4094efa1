/**
 * Events in messages of bounded size. Reading a message occupies the whole thread of the server, and the outcome of one
 * generation may hold hundreds of thousands of log-probabilities: its long lists are sent in parts, and what the `tokens`
 * events said already is not sent again.
 */
import type { BeamCandidate, GenerateOutcome, ScoreRow, TokenReport } from '@gptj-cloud/decoding';
import type { GenerationEvent } from '../engine.ts';

/** An event as it is sent. */
export type WireEvent = GenerationEvent | OutcomePart;

/** The next entries of a list of the outcome. */
export type OutcomePart =
  | { readonly type: 'part'; readonly list: 'promptLogprobs'; readonly items: readonly TokenReport[] }
  | { readonly type: 'part'; readonly list: 'scores' | 'logits'; readonly items: readonly Step[] };

type Step = readonly (ScoreRow | null)[];
type TokensEvent = Extract<GenerationEvent, { readonly type: 'tokens' }>;
type FinishedEvent = Extract<GenerationEvent, { readonly type: 'finished' }>;

/** Values of one message, about: reading them takes some milliseconds. */
const MAX_WEIGHT = 8_000;
/** Characters of base64 that count as one value. */
const CHARACTERS_PER_VALUE = 50;

/** The event as it is sent: the parts of its long lists, then the event without them. */
export function toWireEvents(event: GenerationEvent): readonly WireEvent[] {
  if (event.type === 'tokens') return splitTokens(event);
  if (event.type !== 'finished') return [event];
  const { promptLogprobs, scores, logits, beams, sequences, ...outcome } = event.outcome;
  return [
    ...inGroups(promptLogprobs ?? [], weighReport).map(
      (items) => ({ type: 'part', list: 'promptLogprobs', items }) as const,
    ),
    ...inGroups(scores ?? [], weighStep).map((items) => ({ type: 'part', list: 'scores', items }) as const),
    ...inGroups(logits ?? [], weighStep).map((items) => ({ type: 'part', list: 'logits', items }) as const),
    {
      ...event,
      outcome: {
        ...outcome,
        sequences: sequences.map((sequence) =>
          sequence.logprobs === undefined ? sequence : { ...sequence, logprobs: [] },
        ),
        ...(promptLogprobs === undefined ? {} : { promptLogprobs: [] }),
        ...(scores === undefined ? {} : { scores: [] }),
        ...(logits === undefined ? {} : { logits: [] }),
        ...(beams === undefined ? {} : { beams: [] }),
      },
    },
  ];
}

/** Entries of `pending` in messages of bounded size, in their order. */
export function inMessages(
  pending: readonly (readonly [id: number, event: WireEvent])[],
): readonly (readonly (readonly [id: number, event: WireEvent])[])[] {
  return inGroups(pending, ([, event]) => weighEvent(event));
}

/** Joins the events of one generation again. */
export interface EventJoiner {
  /** The event that the engine gave; null for a part of a later one. */
  join(event: WireEvent): GenerationEvent | null;
}

export function createEventJoiner(): EventJoiner {
  /** By sequence. */
  const reports: TokenReport[][] = [];
  const promptLogprobs: TokenReport[] = [];
  const beams: (readonly BeamCandidate[])[] = [];
  const steps: Readonly<Record<'scores' | 'logits', Step[]>> = { scores: [], logits: [] };
  return {
    join(event) {
      switch (event.type) {
        case 'part':
          if (event.list === 'promptLogprobs') for (const report of event.items) promptLogprobs.push(report);
          else for (const step of event.items) steps[event.list].push(step);
          return null;
        case 'tokens':
          if (event.logprobs !== undefined) {
            reports[event.index] ??= [];
            for (const report of event.logprobs) reports[event.index]?.push(report);
          }
          return event;
        case 'searched':
          beams[event.step] = event.candidates;
          return event;
        case 'finished':
          return { ...event, outcome: joinOutcome(event) };
        default:
          return event;
      }
    },
  };

  function joinOutcome({ outcome }: FinishedEvent): GenerateOutcome {
    return {
      ...outcome,
      sequences: outcome.sequences.map((sequence, index) =>
        sequence.logprobs === undefined ? sequence : { ...sequence, logprobs: reports[index] ?? [] },
      ),
      ...(outcome.promptLogprobs === undefined ? {} : { promptLogprobs }),
      ...(outcome.scores === undefined ? {} : { scores: steps.scores }),
      ...(outcome.logits === undefined ? {} : { logits: steps.logits }),
      ...(outcome.beams === undefined ? {} : { beams }),
    };
  }
}

function splitTokens(event: TokensEvent): readonly TokensEvent[] {
  const { tokens, logprobs } = event;
  if (logprobs === undefined) return [event];
  let from = 0;
  return inGroups(logprobs, weighReport).map((group) => {
    const part = { ...event, tokens: tokens.slice(from, from + group.length), logprobs: group };
    from += group.length;
    return part;
  });
}

/** Runs of entries whose weights are at most `MAX_WEIGHT` together, or of one entry. */
function inGroups<Entry>(list: readonly Entry[], weigh: (entry: Entry) => number): readonly (readonly Entry[])[] {
  const groups: Entry[][] = [];
  let weight = Number.POSITIVE_INFINITY;
  for (const entry of list) {
    const own = weigh(entry);
    if (weight + own > MAX_WEIGHT) {
      groups.push([]);
      weight = 0;
    }
    groups.at(-1)?.push(entry);
    weight += own;
  }
  return groups;
}

function weighEvent(event: WireEvent): number {
  if (event.type === 'part') {
    return event.list === 'promptLogprobs' ? sum(event.items.map(weighReport)) : sum(event.items.map(weighStep));
  }
  if (event.type === 'searched') return 1 + event.candidates.length;
  if (event.type === 'tokens') return 1 + sum((event.logprobs ?? []).map(weighReport));
  return 1;
}

function weighReport({ top }: TokenReport): number {
  return 1 + top.length;
}

function weighStep(rows: Step): number {
  return 1 + sum(rows.map(weighRow));
}

function weighRow(row: ScoreRow | null): number {
  if (row === null) return 1;
  return row.type === 'top' ? row.entries.length : row.data.length / CHARACTERS_PER_VALUE;
}

function sum(weights: readonly number[]): number {
  return weights.reduce((total, weight) => total + weight, 0);
}
