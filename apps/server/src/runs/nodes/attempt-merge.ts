/**
 * Joins the events of a run's attempts to one stream. A `run` event of a run that goes on, after tokens, begins another
 * attempt. Its events are held back while they repeat what was passed on. Once they have repeated all of it, which a
 * deterministic generation does, the stream goes on as if there had been one attempt. At the first difference the held
 * events are passed on, `run` first: it has the reader discard the earlier tokens.
 *
 * States: **passing** → a `run` event after tokens → **repeating** → passing, when the attempt has caught up or differs.
 */
import { isTerminal, type RunEvent } from '@gptj-cloud/protocol';
import type { NumberedEvent } from '../run-events.ts';

export interface AttemptMerge {
  /** The events to pass on after the next event of the run. */
  push(event: NumberedEvent): readonly NumberedEvent[];
}

type TokenEvent = Extract<RunEvent, { readonly type: 'token' }>;

/** What one attempt generated of one sequence. */
interface Written {
  readonly tokens: number[];
  readonly logprobs: NonNullable<TokenEvent['logprobs']>;
  text: string;
}

type Sequences = Map<number, Written>;

export function createAttemptMerge(): AttemptMerge {
  /** What the reader has of the attempt it reads; null when it came in later than its first token. */
  let sent: Sequences | null = null;
  /** What the next attempt has generated so far, and its events; null while passing. */
  let repeated: { readonly sequences: Sequences; readonly held: NumberedEvent[] } | null = null;

  const pass = (numbered: NumberedEvent): void => {
    const { event } = numbered;
    if (event.type === 'run') sent = new Map();
    else if (event.type === 'token' && sent !== null) write(sent, event);
    // Too large to be kept for a comparison.
    else if (event.type === 'beams') sent = null;
  };
  const restart = (held: readonly NumberedEvent[]): readonly NumberedEvent[] => {
    repeated = null;
    for (const event of held) pass(event);
    return held;
  };

  return {
    push(numbered) {
      const { event } = numbered;
      const isEnd = event.type === 'run' && isTerminal(event.run.run_state);
      if (event.type === 'run' && !isEnd && sent !== null && sent.size > 0) {
        repeated = { sequences: new Map(), held: [numbered] };
        return [];
      }
      if (repeated === null) {
        pass(numbered);
        return [numbered];
      }
      if (event.type === 'error') return [numbered];
      // A failed run has no text: its end replaces the tokens anyhow.
      if (event.type === 'run' && event.run.run_state === 'failed') return [numbered];
      const { sequences, held } = repeated;
      held.push(numbered);
      if (event.type !== 'token') return restart(held);
      write(sequences, event);
      const known = sent ?? new Map<number, Written>();
      const pairs = [...known].map(([index, before]) => [before, sequences.get(index)] as const);
      if (pairs.some(([before, now]) => now !== undefined && !agrees(before, now))) return restart(held);
      if (!pairs.every(([before, now]) => now !== undefined && includes(now, before))) return [];
      repeated = null;
      sent = sequences;
      return newEvents(numbered.id, known, sequences);
    },
  };
}

function write(sequences: Sequences, { index, tokens, text, logprobs }: TokenEvent): void {
  const written = sequences.get(index) ?? { tokens: [], logprobs: [], text: '' };
  written.tokens.push(...tokens);
  written.logprobs.push(...(logprobs ?? []));
  written.text += text;
  sequences.set(index, written);
}

/** Whether one may be the beginning of the other. */
function agrees(before: Written, now: Written): boolean {
  const count = Math.min(before.tokens.length, now.tokens.length);
  for (let at = 0; at < count; at++) if (before.tokens[at] !== now.tokens[at]) return false;
  return before.text.startsWith(now.text) || now.text.startsWith(before.text);
}

function includes(now: Written, before: Written): boolean {
  return now.tokens.length >= before.tokens.length && now.text.length >= before.text.length;
}

/** Where the attempts sent their tokens in other portions, the new one may be ahead. */
function newEvents(id: string, before: Sequences, now: Sequences): readonly NumberedEvent[] {
  return [...now].flatMap(([index, { tokens, text, logprobs }]) => {
    const known = before.get(index) ?? { tokens: [], text: '', logprobs: [] };
    const added = tokens.slice(known.tokens.length);
    const addedText = text.slice(known.text.length);
    if (added.length === 0 && addedText === '') return [];
    const reports = logprobs.slice(known.tokens.length);
    const event: TokenEvent = { type: 'token', index, text: addedText, tokens: added };
    return [{ id, event: reports.length === 0 ? event : { ...event, logprobs: reports } }];
  });
}
