export { type AddedToken, plainAddedToken } from './added-token.ts';
export { createDetokeniser, type Detokeniser } from './detokeniser.ts';
export { tokenText } from './token-text.ts';
export {
  createTokenizer,
  type DecodeOptions,
  type EncodeEndOptions,
  type EncodeOptions,
  type Tokenizer,
} from './tokenizer.ts';
export { TokenizerError, type TokenizerErrorCode } from './tokenizer-error.ts';
export { type ParsedTokenizerFiles, parseTokenizerFiles, type TokenizerFiles } from './tokenizer-files.ts';
export type { TokenizerData } from './vocabulary.ts';
