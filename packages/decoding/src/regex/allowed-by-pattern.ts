import type { TokenId } from '@gptj-cloud/model';
import type { AllowedNext } from '../processors/allowed-tokens.ts';
import { type Charge, STEPS } from '../work-budget.ts';
import { type ByteAutomaton, byteAutomaton, type StateSet } from './byte-automaton.ts';
import { parsePattern } from './parse-pattern.ts';
import { tokenSets } from './token-sets.ts';
import type { VocabularyTree } from './tree-builder.ts';
import { vocabularyTree } from './vocabulary-tree.ts';

/** Bytes of the sets of allowed tokens that one generation keeps. */
const MAX_ALLOWED_BYTES: number = 2 * 2 ** 20;
/** Steps of one node of the vocabulary's tree, and of one byte of the output. */
const NODE_STEPS = 8;

export interface PatternSituation {
  readonly pattern: string;
  readonly vocabSize: number;
  readonly promptLength: number;
  readonly eosTokenIds: readonly TokenId[];
  readonly tokenBytes: (token: TokenId) => Uint8Array;
  readonly charge: Charge;
}

/**
 * The tokens after which the generated text can still match the whole pattern: traverses the automaton and the prefix
 * tree of the vocabulary together. EOS is allowed where the text matches; tokens without bytes never are.
 */
export function allowedByPattern(situation: PatternSituation): AllowedNext {
  const { pattern, promptLength, eosTokenIds, tokenBytes, vocabSize, charge } = situation;
  const automaton = byteAutomaton(parsePattern(pattern), charge);
  const { tree, steps } = vocabularyTree({ size: vocabSize, tokenBytes }, automaton.classOf, automaton.isTaken);
  charge(steps);
  const special = new Set(eosTokenIds);
  const ends = eosTokenIds.filter((token) => token >= 0);
  let known = tokenSets<StateSet>(MAX_ALLOWED_BYTES);
  let drops = 0;
  const bits = new Uint32Array(Math.ceil(vocabSize / 32));

  const follow = (from: StateSet | null, token: TokenId): StateSet | null => {
    let set = from;
    const bytes = tokenBytes(token);
    charge(NODE_STEPS * (bytes.length + 1));
    for (const byte of bytes) set = set === null ? null : automaton.step(set, automaton.classOf[byte]!);
    return set;
  };

  return (sequence) => {
    let set: StateSet | null = automaton.start;
    for (let at = promptLength; at < sequence.length; at++) {
      if (special.has(sequence[at]!)) return ends;
      set = follow(set, sequence[at]!);
    }
    if (set === null) return [];
    if (automaton.dropCount() !== drops) {
      known = tokenSets<StateSet>(MAX_ALLOWED_BYTES);
      drops = automaton.dropCount();
    }
    const allowed = known.get(set);
    charge(STEPS.map + bits.length + (allowed?.length ?? 0));
    if (allowed !== null) return allowed;
    bits.fill(0);
    const nodes = markAllowed(bits, set, automaton, tree);
    charge(NODE_STEPS * nodes);
    for (const token of ends) bits[token >>> 5]! &= ~(1 << (token & 31));
    if (set.accepts) for (const token of ends) bits[token >>> 5]! |= 1 << (token & 31);
    return known.put(set, bits);
  };
}

/** Set the bits of the tokens that `from` allows. Returns the number of nodes visited. */
function markAllowed(
  bits: Uint32Array,
  from: StateSet,
  { step }: ByteAutomaton,
  { classes, depths, ends, tokenBegin, tokens, maxDepth }: VocabularyTree,
): number {
  const path: StateSet[] = new Array<StateSet>(maxDepth + 2).fill(from);
  let visited = 0;
  let node = 0;
  while (node < classes.length) {
    visited++;
    const depth = depths[node]!;
    const set = step(path[depth]!, classes[node]!);
    if (set === null) {
      node = ends[node]!;
      continue;
    }
    path[depth + 1] = set;
    const to = tokenBegin[node + 1]!;
    for (let at = tokenBegin[node]!; at < to; at++) {
      const token = tokens[at]!;
      bits[token >>> 5]! |= 1 << (token & 31);
    }
    node++;
  }
  return visited;
}
