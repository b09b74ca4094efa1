import { z } from 'zod';

/** Most tokens of one request or reply: more than any prompt may have. */
export const MAX_TOKENIZED = 65_536;

/** Body of `POST /v2/tokenize`. */
export const tokenizeSchema = z.object({
  text: z.string(),
  /** Read special tokens in the text as plain text. Default false. */
  split_special_tokens: z.boolean().nullish(),
  /** Name of a served model. Default: the one that requests without a name get. */
  model: z.string().nullish(),
});
export type Tokenize = z.infer<typeof tokenizeSchema>;

/** Its reply: three lists of one length. */
export const tokenizedSchema = z.object({
  tokens: z.array(z.int()),
  /** The text of each token; `bytes:\xe2\x80` for one that is part of a character. */
  texts: z.array(z.string()),
  /** Characters (code points) before the one that each token begins or continues. */
  offsets: z.array(z.int()),
});
export type Tokenized = z.infer<typeof tokenizedSchema>;

/** Body of `POST /v2/detokenize`. */
export const detokenizeSchema = z.object({
  tokens: z.array(z.int()).max(MAX_TOKENIZED),
  /** Leave special tokens out of the text. Default false. */
  skip_special_tokens: z.boolean().nullish(),
  /** Name of a served model. Default: the one that requests without a name get. */
  model: z.string().nullish(),
});
export type Detokenize = z.infer<typeof detokenizeSchema>;

/** Its reply. */
export const detokenizedSchema = z.object({
  /** Bytes that are not UTF-8 become U+FFFD. */
  text: z.string(),
  /** The text of each token, as in the reply of `POST /v2/tokenize`. */
  texts: z.array(z.string()),
});
export type Detokenized = z.infer<typeof detokenizedSchema>;
