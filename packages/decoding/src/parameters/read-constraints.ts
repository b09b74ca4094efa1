import type { TokenId } from '@gptj-cloud/model';
import type { Constraint } from '../generate-config.ts';
import { ParameterError } from '../parameter-error.ts';
import { LIMITS, type ModelContext } from './parameter-context.ts';
import { limitIds, toFilledList, toTokenIds, toWordList } from './read-list.ts';
import { type Fields, refuse, refuseUnknownFields, toFields } from './read-value.ts';
import { showValue } from './show-value.ts';
import { toWord } from './token-lists.ts';

const ALTERNATIVES = { max: LIMITS.constraintIds, maxIds: LIMITS.constraintIds };

/** Whether the request has constraints in any form: it selects constrained beam search. */
export function hasConstraints(fields: Fields): boolean {
  return fields.has('constraints') || fields.has('force_words_ids') || fields.has('force_words');
}

/** `constraints`, `force_words_ids` and the text form `force_words`, in one list. */
export function readConstraints(fields: Fields, context: ModelContext): readonly Constraint[] {
  const constraints = [
    ...readList(fields, 'constraints', (entry) => readConstraint(entry, context)),
    ...readList(fields, 'force_words_ids', (entry) => readForcedWord('force_words_ids', entry, context)),
    ...readList(fields, 'force_words', (entry) => readForcedWord('force_words', entry, context)),
  ];
  limitIds(
    'constraints',
    constraints.reduce((sum, constraint) => sum + idsOf(constraint), 0),
    LIMITS.constraintIds,
  );
  return constraints;
}

function idsOf(constraint: Constraint): number {
  if (constraint.type === 'phrasal') return constraint.tokens.length;
  return constraint.alternatives.reduce((sum, alternative) => sum + alternative.length, 0);
}

function readList(fields: Fields, name: string, read: (entry: unknown) => Constraint): readonly Constraint[] {
  const value = fields.get(name);
  if (value === undefined) return [];
  const shape = { what: 'a non-empty array', max: LIMITS.constraints, whenEmpty: 'at least one entry' };
  return toFilledList(name, value, shape, read);
}

function readConstraint(entry: unknown, context: ModelContext): Constraint {
  const name = 'constraints';
  const form = toFields(name, entry);
  const type = form.get('type');
  if (type === 'phrasal') {
    refuseUnknownFields(name, form, ['type', 'token_ids']);
    return {
      type: 'phrasal',
      tokens: toTokenIds(name, form.get('token_ids'), context.vocabSize, LIMITS.constraintIds),
    };
  }
  if (type === 'disjunctive') {
    refuseUnknownFields(name, form, ['type', 'nested_token_ids']);
    const shape = { ...ALTERNATIVES, what: 'an array of arrays of token ids' };
    const nested = toWordList(name, form.get('nested_token_ids'), shape, (ids) =>
      toTokenIds(name, ids, context.vocabSize, LIMITS.constraintIds),
    );
    return disjunctive(name, nested);
  }
  return refuse(name, 'type "phrasal" or "disjunctive"', type);
}

/** One word (ids or text), or several of which one must occur. */
function readForcedWord(name: string, entry: unknown, context: ModelContext): Constraint {
  if (typeof entry === 'string' && name === 'force_words') {
    return { type: 'phrasal', tokens: toWord(name, entry, context) };
  }
  const isNested = name === 'force_words' || (Array.isArray(entry) && Array.isArray(entry[0]));
  if (!isNested) return { type: 'phrasal', tokens: toTokenIds(name, entry, context.vocabSize, LIMITS.constraintIds) };
  const shape = { ...ALTERNATIVES, what: name === 'force_words' ? 'strings' : 'arrays of token ids' };
  const words = toWordList(name, entry, shape, (word) => {
    if (typeof word === 'string' && name !== 'force_words') refuse(name, 'arrays of token ids', word);
    return toWord(name, word, context);
  });
  return disjunctive(name, words);
}

/** A node of the prefix tree of the alternatives read so far. */
interface Branch {
  readonly next: Map<TokenId, Branch>;
  /** An alternative that ends here or further on. */
  readonly alternative: readonly TokenId[];
  ends: boolean;
}

function disjunctive(name: string, alternatives: readonly (readonly TokenId[])[]): Constraint {
  if (alternatives.length === 0) refuse(name, 'at least one alternative', alternatives);
  const root: Branch = { next: new Map(), alternative: [], ends: false };
  for (const alternative of alternatives) {
    let branch = root;
    for (const token of alternative) {
      let child = branch.next.get(token);
      if (child === undefined) {
        child = { next: new Map(), alternative, ends: false };
        branch.next.set(token, child);
      }
      branch = child;
      if (branch.ends) refusePrefix(name, branch.alternative, alternative);
    }
    if (branch.next.size > 0) refusePrefix(name, alternative, branch.alternative);
    branch.ends = true;
  }
  return { type: 'disjunctive', alternatives };
}

function refusePrefix(name: string, prefix: readonly TokenId[], other: readonly TokenId[]): never {
  throw new ParameterError(
    'invalid_parameter',
    [name],
    `${name}: expected alternatives of which none begins with another, got ${showValue(prefix)} and ${showValue(other)}`,
  );
}
