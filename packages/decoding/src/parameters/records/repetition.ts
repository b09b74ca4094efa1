import { each } from '../../logits-processor.ts';
import { forbidRepeatedNgrams } from '../../processors/no-repeat-ngram.ts';
import { penaliseOccurrence } from '../../processors/occurrence-penalty.ts';
import { penaliseRepetition } from '../../processors/repetition-penalty.ts';
import { numberParameter } from '../define-parameter.ts';
import { BOTH_VERSIONS, ONLY_5_18, type ParameterRecord } from '../parameter-record.ts';
import { refuse } from '../read-value.ts';

/** Penalties on repetition. */
export interface RepetitionConfig {
  readonly repetitionPenalty: number;
  readonly encoderRepetitionPenalty: number;
  /** OpenAI's penalties on generated tokens: once for being there, and for each time. 0 is neutral. */
  readonly presencePenalty: number;
  readonly frequencyPenalty: number;
  readonly noRepeatNgramSize: number;
  readonly encoderNoRepeatNgramSize: number;
}

const ABOVE_0 = 'only values above 0 act';

export const REPETITION_PARAMETERS: readonly ParameterRecord[] = [
  numberParameter({
    name: 'repetition_penalty',
    group: 'processors',
    versions: BOTH_VERSIONS,
    help: 'Above 1 tokens of the prompt and the output become less likely, below 1 more likely.',
    type: 'number',
    above: 0,
    hint: '1 is neutral',
    default: 1,
    custom: true,
    toConfig: (repetitionPenalty) => ({ repetitionPenalty }),
    processor: ({ repetitionPenalty }) =>
      repetitionPenalty === 1
        ? null
        : each(({ scores, sequence }) => penaliseRepetition(scores, sequence, repetitionPenalty)),
  }),
  numberParameter({
    name: 'encoder_repetition_penalty',
    group: 'processors',
    versions: ONLY_5_18,
    help: 'Above 1 tokens of the prompt become more likely, below 1 less likely.',
    type: 'number',
    above: 0,
    hint: '1 is neutral',
    default: 1,
    custom: true,
    toConfig: (encoderRepetitionPenalty) => ({ encoderRepetitionPenalty }),
    processor: ({ encoderRepetitionPenalty }, { prompt }) => {
      if (encoderRepetitionPenalty === 1) return null;
      const tokens = [...new Set(prompt)];
      return each(({ scores }) => penaliseRepetition(scores, tokens, 1 / encoderRepetitionPenalty));
    },
  }),
  numberParameter({
    name: 'presence_penalty',
    group: 'processors',
    versions: BOTH_VERSIONS,
    own: true,
    help: "OpenAI's penalty: subtracted once from the score of every token that was generated.",
    type: 'number',
    default: 0,
    toConfig: (presencePenalty) => ({ presencePenalty }),
    // Both penalties of OpenAI in one pass over the output.
    processor: ({ presencePenalty, frequencyPenalty }, { prompt }) =>
      presencePenalty === 0 && frequencyPenalty === 0
        ? null
        : each(({ scores, sequence }) =>
            penaliseOccurrence(scores, sequence.slice(prompt.length), presencePenalty, frequencyPenalty),
          ),
  }),
  numberParameter({
    name: 'frequency_penalty',
    group: 'processors',
    versions: BOTH_VERSIONS,
    own: true,
    help: "OpenAI's penalty: subtracted from the score of a token for each time that it was generated.",
    type: 'number',
    default: 0,
    toConfig: (frequencyPenalty) => ({ frequencyPenalty }),
  }),
  numberParameter({
    name: 'no_repeat_ngram_size',
    group: 'processors',
    versions: BOTH_VERSIONS,
    help: 'No run of this many tokens occurs twice; 0 switches it off.',
    type: 'integer',
    default: 0,
    ignored: ({ noRepeatNgramSize }) => (noRepeatNgramSize < 0 ? ABOVE_0 : null),
    custom: true,
    toConfig: (noRepeatNgramSize) => ({ noRepeatNgramSize }),
    processor: ({ noRepeatNgramSize }) =>
      noRepeatNgramSize <= 0
        ? null
        : each(({ scores, sequence }) => forbidRepeatedNgrams(scores, sequence, sequence, noRepeatNgramSize)),
  }),
  numberParameter({
    name: 'encoder_no_repeat_ngram_size',
    group: 'processors',
    versions: BOTH_VERSIONS,
    help: 'No run of this many tokens of the prompt occurs in the output; 0 switches it off.',
    type: 'integer',
    default: 0,
    ignored: ({ encoderNoRepeatNgramSize }) => (encoderNoRepeatNgramSize < 0 ? ABOVE_0 : null),
    custom: true,
    toConfig: (encoderNoRepeatNgramSize, { compat }) => {
      if (compat === '4.25' && encoderNoRepeatNgramSize > 0) {
        refuse(
          'encoder_no_repeat_ngram_size',
          'an encoder-decoder model in transformers 4.25',
          encoderNoRepeatNgramSize,
        );
      }
      return { encoderNoRepeatNgramSize };
    },
    processor: ({ encoderNoRepeatNgramSize }, { prompt }) =>
      encoderNoRepeatNgramSize <= 0
        ? null
        : each(({ scores, sequence }) => forbidRepeatedNgrams(scores, sequence, prompt, encoderNoRepeatNgramSize)),
  }),
];
