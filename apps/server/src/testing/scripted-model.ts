import type { Engine } from '@gptj-cloud/engine';
import { createParameterReader } from '../generation/parameter-parser.ts';
import type { TextModel } from '../generation/text-model.ts';
import { byteTokenizer } from './fake-model.ts';

/** A model with one token for each byte; a larger id is a token with the text `<id>`. */
export function byteModel({ info }: Pick<Engine, 'info'>): TextModel {
  return {
    info,
    tokenizer: {
      ...byteTokenizer,
      tokenBytes: (id) => (id < 256 ? Uint8Array.of(id) : new TextEncoder().encode(`<${id}>`)),
    },
    readParameters: createParameterReader(info, byteTokenizer),
  };
}

export const bytesOf = (text: string): readonly number[] => [...new TextEncoder().encode(text)];
