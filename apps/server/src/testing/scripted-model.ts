import { parseGenerateParameters } from '@gptj-cloud/decoding';
import type { Engine } from '@gptj-cloud/engine';
import { GPTJ_6B } from '@gptj-cloud/model';
import type { TextModel } from '../generation/text-model.ts';
import { byteTokenizer } from './fake-model.ts';

/** One token a byte, and a control token: what a scripted engine's tokens mean. */
export function byteModel({ info }: Pick<Engine, 'info'>): TextModel {
  const { contextLength, vocabSize, eosTokenId } = GPTJ_6B;
  return {
    info,
    tokenizer: {
      ...byteTokenizer,
      tokenBytes: (id) => (id < 256 ? Uint8Array.of(id) : new TextEncoder().encode(`<${id}>`)),
    },
    parseParameters: (fields, promptLength) =>
      parseGenerateParameters(fields, { contextLength, vocabSize, eosTokenId, promptLength }),
  };
}

export const bytesOf = (text: string): readonly number[] => [...new TextEncoder().encode(text)];
