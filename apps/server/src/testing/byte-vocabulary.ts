import type { TokenizerData } from '@gptj-cloud/tokenizer';

/** One token for each byte, in the alphabet of GPT-2: what `byteTokenizer` does, for other processes to read. */
export const BYTE_VOCABULARY: TokenizerData = {
  tokens: Array.from({ length: 256 }, (_, byte) => {
    const isPlain = (byte >= 33 && byte <= 126) || (byte >= 161 && byte !== 173);
    const shift = byte <= 32 ? byte : byte === 173 ? 67 : byte - 127 + 33;
    return String.fromCharCode(isPlain ? byte : 256 + shift);
  }),
  merges: [],
  addedTokens: [],
  unused: [],
};
