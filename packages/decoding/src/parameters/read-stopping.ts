import type { TokenId } from '@gptj-cloud/model';
import type { GenerateConfig } from '../generate-config.ts';
import { LIMITS, type ParameterContext } from './parameter-context.ts';
import {
  type Fields,
  refuse,
  refuseUnknownFields,
  toFields,
  toList,
  toNumber,
  toText,
  toTokenIds,
} from './read-value.ts';
import { limitTotal } from './token-lists.ts';

type Stopping = Pick<GenerateConfig, 'maxTimeMs' | 'stopStrings' | 'stopSequences'>;

/** `max_time`, `stop_strings` and the declarative `stopping_criteria`, which adds to both. */
export function readStopping(fields: Fields, context: ParameterContext): Stopping {
  const maxTimes: number[] = [];
  const stopStrings: string[] = [];
  const stopSequences: (readonly TokenId[])[] = [];
  if (fields.has('max_time')) maxTimes.push(toNumber('max_time', fields.get('max_time'), { min: 0 }));
  if (fields.has('stop_strings')) stopStrings.push(...readStopStrings('stop_strings', fields.get('stop_strings')));
  const name = 'stopping_criteria';
  const criteria = fields.get(name) ?? [];
  for (const entry of toList(name, criteria, 'an array of objects {"type": …}', LIMITS.customProcessors)) {
    const form = toFields(name, entry);
    const type = form.get('type');
    if (type === 'max_time') {
      refuseUnknownFields(name, form, ['type', 'max_time']);
      maxTimes.push(toNumber(name, form.get('max_time'), { min: 0 }));
    } else if (type === 'stop_strings') {
      refuseUnknownFields(name, form, ['type', 'stop_strings']);
      stopStrings.push(...readStopStrings(name, form.get('stop_strings')));
    } else if (type === 'stop_token_sequences') {
      refuseUnknownFields(name, form, ['type', 'sequences']);
      const sequences = toList(name, form.get('sequences'), 'sequences: an array of arrays of ids', LIMITS.listEntries);
      for (const ids of sequences) stopSequences.push(toTokenIds(name, ids, context.vocabSize, LIMITS.wordLength));
    } else if (type === 'eos') {
      refuseUnknownFields(name, form, ['type', 'eos_token_id']);
      const ids = form.get('eos_token_id');
      const list = toTokenIds(name, Array.isArray(ids) ? ids : [ids], context.vocabSize, LIMITS.wordLength);
      for (const id of list) stopSequences.push([id]);
    } else {
      refuse(name, 'type "max_time", "stop_strings", "stop_token_sequences" or "eos"', type);
    }
  }
  limitTotal(name, stopSequences);
  return {
    maxTimeMs: maxTimes.length === 0 ? null : Math.min(...maxTimes) * 1000,
    stopStrings: [...new Set(stopStrings)],
    stopSequences,
  };
}

function readStopStrings(name: string, value: unknown): string[] {
  const list =
    typeof value === 'string' ? [value] : toList(name, value, 'a string or an array of strings', LIMITS.stopStrings);
  if (list.length === 0) refuse(name, 'at least one string', value);
  return list.map((entry) => {
    const text = toText(name, entry, 'non-empty strings');
    if (text.length > LIMITS.stopStringLength) {
      refuse(name, `strings of at most ${LIMITS.stopStringLength} characters`, text.length);
    }
    return text;
  });
}
