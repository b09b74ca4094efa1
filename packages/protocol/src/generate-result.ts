import { z } from 'zod';
import { beamCandidateSchema, tokenLogprobSchema } from './events.ts';
import { finishReasonSchema } from './runs.ts';

/** The output of a run of the GPT-J pipeline: one text for each returned sequence. */
export const generatedTextsSchema = z.tuple([z.string()], z.string());
export type GeneratedTexts = z.infer<typeof generatedTextsSchema>;

/** A row of `scores` or `logits`. */
export const scoreRowSchema = z
  .union([z.array(z.tuple([z.int(), z.number().nullable()])), z.string(), z.null()])
  .describe(
    'Pairs of token id and score, best first, or base64 of little-endian float32; null: its sequence had ended.',
  );

/** The output with `return_dict_in_generate`. A list that the parameters did not request is absent. */
export const generateDictSchema = z.object({
  texts: generatedTextsSchema.describe('One text for each returned sequence.'),
  sequences: z.array(z.array(z.int())).describe('Token ids of each text, not cut at stop strings.'),
  finish_reasons: z.array(finishReasonSchema).describe('Why each sequence ended.'),
  sequences_scores: z
    .array(z.number().nullable())
    .optional()
    .describe('Beam searches: log-probability of each sequence, divided by its length to the power of length_penalty.'),
  beam_indices: z
    .array(z.array(z.int()))
    .optional()
    .describe('Beam searches: for each token the beam that it continued; -1 for an end-of-text token that closes it.'),
  logprobs: z
    .array(z.array(tokenLogprobSchema))
    .optional()
    .describe('With logprobs: the prediction for each token of each sequence.'),
  prompt_logprobs: z
    .array(tokenLogprobSchema)
    .optional()
    .describe('With prompt_logprobs: the prediction for each token of the prompt, from the second on.'),
  beams: z
    .array(z.array(beamCandidateSchema))
    .optional()
    .describe('With output_beams: what each step of the search considered.'),
  scores: z
    .array(z.array(scoreRowSchema))
    .optional()
    .describe('With output_scores: for each step a row of processed scores for each sequence or beam.'),
  logits: z.array(z.array(scoreRowSchema)).optional().describe('With output_logits: the same before processing.'),
});
export type GenerateDict = z.infer<typeof generateDictSchema>;
