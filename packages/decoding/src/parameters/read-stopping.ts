import type { TokenId } from '@gptj-cloud/model';
import type { GenerateConfig } from '../generate-config.ts';
import { LIMITS, type ModelContext } from './parameter-context.ts';
import { limitIds, toFilledList, toList, toTokenIds, toWordList } from './read-list.ts';
import { type Fields, refuse, refuseUnknownFields, toFields, toNumber, toText } from './read-value.ts';

type Stopping = Pick<GenerateConfig, 'maxTimeMs' | 'stopStrings' | 'stopSequences'>;

const SEQUENCES = {
  what: 'sequences: an array of arrays of ids',
  max: LIMITS.listEntries,
  maxIds: LIMITS.totalIds,
};

/** `max_time`, `stop_strings` and the declarative `stopping_criteria`, which adds to both. */
export function readStopping(fields: Fields, context: ModelContext): Stopping {
  const maxTimes: number[] = [];
  const stopStrings: string[] = [];
  const stopSequences: (readonly TokenId[])[] = [];
  if (fields.has('max_time')) maxTimes.push(toNumber('max_time', fields.get('max_time'), { min: 0 }));
  if (fields.has('stop_strings')) stopStrings.push(...readStopStrings('stop_strings', fields.get('stop_strings')));
  const name = 'stopping_criteria';
  const criteria = fields.get(name) ?? [];
  const shape = { what: 'an array of objects {"type": …}', max: LIMITS.customProcessors };
  const forms = toList(name, criteria, shape, (entry) => toFields(name, entry));
  for (const form of forms) {
    const type = form.get('type');
    if (type === 'max_time') {
      refuseUnknownFields(name, form, ['type', 'max_time']);
      maxTimes.push(toNumber(name, form.get('max_time'), { min: 0 }));
    } else if (type === 'stop_strings') {
      refuseUnknownFields(name, form, ['type', 'stop_strings']);
      stopStrings.push(...readStopStrings(name, form.get('stop_strings')));
    } else if (type === 'stop_token_sequences') {
      refuseUnknownFields(name, form, ['type', 'sequences']);
      const sequences = toWordList(name, form.get('sequences'), SEQUENCES, (ids) =>
        toTokenIds(name, ids, context.vocabSize, LIMITS.wordLength),
      );
      for (const sequence of sequences) stopSequences.push(sequence);
    } else if (type === 'eos') {
      refuseUnknownFields(name, form, ['type', 'eos_token_id']);
      const ids = form.get('eos_token_id');
      const list = toTokenIds(name, Array.isArray(ids) ? ids : [ids], context.vocabSize, LIMITS.wordLength);
      for (const id of list) stopSequences.push([id]);
    } else {
      refuse(name, 'type "max_time", "stop_strings", "stop_token_sequences" or "eos"', type);
    }
  }
  limitIds(
    name,
    stopSequences.reduce((sum, sequence) => sum + sequence.length, 0),
    LIMITS.totalIds,
  );
  return {
    maxTimeMs: maxTimes.length === 0 ? null : Math.min(...maxTimes) * 1000,
    stopStrings: [...new Set(stopStrings)],
    stopSequences,
  };
}

function readStopStrings(name: string, value: unknown): readonly string[] {
  const shape = { what: 'a string or an array of strings', max: LIMITS.stopStrings, whenEmpty: 'at least one string' };
  return toFilledList(name, typeof value === 'string' ? [value] : value, shape, (entry) => {
    const text = toText(name, entry, 'non-empty strings');
    if (text.length > LIMITS.stopStringLength) {
      refuse(name, `strings of at most ${LIMITS.stopStringLength} characters`, text.length);
    }
    return text;
  });
}
