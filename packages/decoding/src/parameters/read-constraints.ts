import type { TokenId } from '@gptj-cloud/model';
import type { Constraint } from '../generate-config.ts';
import { ParameterError } from '../parameter-error.ts';
import { LIMITS, type ParameterContext } from './parameter-context.ts';
import { type Fields, refuse, refuseUnknownFields, toFields, toList, toTokenIds } from './read-value.ts';
import { limitTotal, toWord } from './token-lists.ts';

/** Whether the request has constraints in any form: it selects constrained beam search. */
export function hasConstraints(fields: Fields): boolean {
  return fields.has('constraints') || fields.has('force_words_ids') || fields.has('force_words');
}

/** `constraints`, `force_words_ids` and the text form `force_words`, in one list. */
export function readConstraints(fields: Fields, context: ParameterContext): readonly Constraint[] {
  const constraints = [
    ...readList(fields, 'constraints', (entry) => readConstraint(entry, context)),
    ...readList(fields, 'force_words_ids', (entry) => readForcedWord('force_words_ids', entry, context)),
    ...readList(fields, 'force_words', (entry) => readForcedWord('force_words', entry, context)),
  ];
  limitTotal(
    'constraints',
    constraints.flatMap((entry) => (entry.type === 'phrasal' ? [entry.tokens] : entry.alternatives)),
    LIMITS.constraintIds,
  );
  return constraints;
}

function readList(fields: Fields, name: string, read: (entry: unknown) => Constraint): Constraint[] {
  const value = fields.get(name);
  if (value === undefined) return [];
  const list = toList(name, value, 'a non-empty array', LIMITS.constraints);
  if (list.length === 0) refuse(name, 'at least one entry', value);
  return list.map(read);
}

function readConstraint(entry: unknown, context: ParameterContext): Constraint {
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
    const nested = toList(name, form.get('nested_token_ids'), 'an array of arrays of token ids', LIMITS.listEntries);
    return disjunctive(
      name,
      nested.map((ids) => toTokenIds(name, ids, context.vocabSize, LIMITS.constraintIds)),
    );
  }
  return refuse(name, 'type "phrasal" or "disjunctive"', type);
}

/** One word (ids or text), or several of which one must occur. */
function readForcedWord(name: string, entry: unknown, context: ParameterContext): Constraint {
  if (typeof entry === 'string' && name === 'force_words') {
    return { type: 'phrasal', tokens: toWord(name, entry, context) };
  }
  const list = toList(name, entry, name === 'force_words' ? 'strings' : 'arrays of token ids', LIMITS.constraintIds);
  const isNested = name === 'force_words' || Array.isArray(list[0]);
  if (!isNested) return { type: 'phrasal', tokens: toTokenIds(name, list, context.vocabSize, LIMITS.constraintIds) };
  return disjunctive(
    name,
    list.map((word) => {
      if (typeof word === 'string' && name !== 'force_words') refuse(name, 'arrays of token ids', word);
      return toWord(name, word, context);
    }),
  );
}

function disjunctive(name: string, alternatives: readonly (readonly TokenId[])[]): Constraint {
  if (alternatives.length === 0) refuse(name, 'at least one alternative', alternatives);
  for (const [index, one] of alternatives.entries()) {
    const extended = alternatives.find(
      (other, otherIndex) => otherIndex !== index && one.every((token, at) => other[at] === token),
    );
    if (extended !== undefined) {
      throw new ParameterError(
        'invalid_parameter',
        [name],
        `${name}: expected alternatives of which none begins with another, got ${JSON.stringify(one)} and ${JSON.stringify(extended)}`,
      );
    }
  }
  return { type: 'disjunctive', alternatives };
}
