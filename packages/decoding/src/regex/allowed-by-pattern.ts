import type { TokenId } from '@gptj-cloud/model';
import type { AllowedNext } from '../processors/allowed-tokens.ts';
import { byteAutomaton, type StateSet } from './byte-automaton.ts';
import { parsePattern } from './parse-pattern.ts';

interface Branch {
  readonly next: Map<number, Branch>;
  readonly tokens: TokenId[];
}

export interface PatternSituation {
  readonly pattern: string;
  readonly vocabSize: number;
  readonly promptLength: number;
  readonly eosTokenIds: readonly TokenId[];
  readonly tokenBytes: (token: TokenId) => Uint8Array;
}

/** Prefix trees of vocabularies, cached by `tokenBytes` function: building one for 50400 tokens is slow. */
const vocabularies = new WeakMap<PatternSituation['tokenBytes'], Branch>();

/**
 * The tokens after which the generated text can still match the whole pattern: traverses the automaton and the prefix
 * tree of the vocabulary together. EOS is allowed where the text matches; tokens without bytes never are.
 */
export function allowedByPattern(situation: PatternSituation): AllowedNext {
  const { pattern, promptLength, eosTokenIds, tokenBytes } = situation;
  const automaton = byteAutomaton(parsePattern(pattern));
  const vocabulary = vocabularyOf(situation);
  const special = new Set(eosTokenIds);
  const known = new WeakMap<StateSet, readonly TokenId[]>();

  const follow = (from: StateSet | null, token: TokenId): StateSet | null => {
    let set = from;
    for (const byte of tokenBytes(token)) set = set === null ? null : automaton.step(set, byte);
    return set;
  };

  const collect = (set: StateSet, branch: Branch, found: TokenId[]): void => {
    for (const [byte, child] of branch.next) {
      const after = automaton.step(set, byte);
      if (after === null) continue;
      for (const token of child.tokens) if (!special.has(token)) found.push(token);
      collect(after, child, found);
    }
  };

  return (sequence) => {
    let set: StateSet | null = automaton.start;
    for (let at = promptLength; at < sequence.length; at++) {
      if (special.has(sequence[at]!)) return eosTokenIds.filter((token) => token >= 0);
      set = follow(set, sequence[at]!);
    }
    if (set === null) return [];
    let allowed = known.get(set);
    if (allowed === undefined) {
      const found: TokenId[] = set.accepts ? eosTokenIds.filter((token) => token >= 0) : [];
      collect(set, vocabulary, found);
      known.set(set, found);
      allowed = found;
    }
    return allowed;
  };
}

function vocabularyOf({ tokenBytes, vocabSize }: PatternSituation): Branch {
  const known = vocabularies.get(tokenBytes);
  if (known !== undefined) return known;
  const root: Branch = { next: new Map(), tokens: [] };
  for (let token = 0; token < vocabSize; token++) {
    const branch = descend(root, tokenBytes(token));
    if (branch !== root) branch.tokens.push(token);
  }
  vocabularies.set(tokenBytes, root);
  return root;
}

function descend(root: Branch, bytes: Uint8Array): Branch {
  let branch = root;
  for (const byte of bytes) branch = childOf(branch, byte);
  return branch;
}

function childOf(branch: Branch, byte: number): Branch {
  let child = branch.next.get(byte);
  if (child === undefined) {
    child = { next: new Map(), tokens: [] };
    branch.next.set(byte, child);
  }
  return child;
}
