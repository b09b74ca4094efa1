/** Index of a vocabulary entry, 0 … vocabSize-1. Not to be confused with an API token, which is a credential. */
export type TokenId = number;
