/** Random edits and generations of a draft, the same for the same seed. */
import { goToBranch, retryPointOf, seamsOf, siblingOf, takeAlternative } from '../playground/document/branching.ts';
import { type Draft, isOpen, newDraft, pathOf, textOf } from '../playground/document/draft.ts';
import { editText } from '../playground/document/edit-text.ts';
import { appendTokens, beginGeneration, endGeneration, restartGeneration } from '../playground/document/generation.ts';
import { redo, undo } from '../playground/document/history.ts';

const PIECES = ['a', ' the', '\n', ' boy', 'é', '“', '😀', '👩‍🚀', ' مرحبا', '', 'xyz xyz'];

export interface RandomSource {
  /** An integer from 0 to `below` - 1. */
  next(below: number): number;
}

export function randomSource(seed: number): RandomSource {
  let state = seed >>> 0;
  return {
    next(below) {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return Math.floor((state / 2 ** 32) * below);
    },
  };
}

/** One random action; `canWalk` allows undo, redo and moves to siblings. */
export function randomAction(draft: Draft, random: RandomSource, nowMs: number, canWalk: boolean): Draft {
  const piece = (): string => PIECES[random.next(PIECES.length)] ?? '';
  const text = textOf(draft);
  const offset = (): number => random.next(text.length + 1);
  switch (random.next(canWalk ? 13 : 10)) {
    case 0:
    case 1:
      return editText(draft, { start: text.length, end: text.length, insert: piece() }, nowMs);
    case 2: {
      const start = offset();
      return editText(draft, { start, end: start, insert: piece() }, nowMs);
    }
    case 3: {
      const [start, end] = [offset(), offset()].sort((a, b) => a - b);
      return editText(draft, { start: start ?? 0, end: end ?? 0, insert: piece() }, nowMs);
    }
    case 4: {
      const sequences = 1 + random.next(2);
      const generation = { key: `k${draft.idCount}`, parameters: {}, seed: random.next(100), sequences };
      return beginGeneration(draft, draft.here, generation);
    }
    case 5:
    case 6:
    case 7:
      return randomArrival(draft, random);
    case 8: {
      const key = randomOpenKey(draft, random);
      if (key === null) return draft;
      if (random.next(3) === 0) return restartGeneration(draft, key);
      return endGeneration(draft, { key, finishes: ['length'], failure: null });
    }
    case 9: {
      const node = pathOf(draft)[random.next(pathOf(draft).length)];
      const count = node?.tokens?.length ?? 0;
      if (node === undefined || count === 0 || isOpen(node)) return draft;
      return takeAlternative(draft, node.id, random.next(count), { id: 7, label: ' girl', logprob: -1 });
    }
    case 10:
      return undo(draft);
    case 11:
      return redo(draft);
    default: {
      const seams = seamsOf(draft);
      const seam = seams[random.next(seams.length)];
      const retry = retryPointOf(draft);
      if (seam !== undefined) return goToBranch(draft, siblingOf(draft, seam.node, 1));
      if (retry === null) return draft;
      return beginGeneration(draft, retry.parent, { key: `k${draft.idCount}`, parameters: {}, seed: 1, sequences: 1 });
    }
  }
}

/** Tokens for an open generation: sometimes the parts of one character, sometimes with text that was held back. */
function randomArrival(draft: Draft, random: RandomSource): Draft {
  const key = randomOpenKey(draft, random);
  if (key === null) return draft;
  const token = (label: string | null) => ({ id: random.next(50_000), label, logprob: -1 - random.next(9), top: [] });
  const arrival = (text: string, ...labels: readonly (string | null)[]) => ({
    key,
    sequence: 0,
    text,
    tokens: labels.map(token),
  });
  const piece = PIECES[random.next(PIECES.length)] ?? '';
  switch (random.next(4)) {
    case 0:
      return appendTokens(draft, [arrival('', 'bytes:\\xf0\\x9f'), arrival('😀', 'bytes:\\x98\\x80')]);
    case 1:
      return appendTokens(draft, [arrival('', piece), arrival(`${piece} end`, ' end')]);
    case 2:
      return appendTokens(draft, [arrival(piece, null)]);
    default:
      return appendTokens(draft, [arrival(piece, piece)]);
  }
}

function randomOpenKey(draft: Draft, random: RandomSource): string | null {
  const open = [...draft.nodes.values()].filter(isOpen);
  return open[random.next(open.length)]?.run?.key ?? null;
}

/** End every generation that has not ended. */
export function endAll(draft: Draft): Draft {
  let next = draft;
  for (const node of draft.nodes.values()) {
    if (node.run !== null) next = endGeneration(next, { key: node.run.key, finishes: ['length'], failure: null });
  }
  return next;
}

/** A draft after `actions` random actions, with a step of time before each. */
export function randomDraft(seed: number, actions: number): Draft {
  const random = randomSource(seed);
  let draft = newDraft('d', {});
  let nowMs = 0;
  for (let at = 0; at < actions; at++) {
    nowMs += random.next(2000);
    draft = randomAction(draft, random, nowMs, true);
  }
  return endAll(draft);
}
