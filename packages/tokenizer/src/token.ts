/** Index of a vocabulary entry, 0 … vocabSize-1. The same number as `TokenId` of `@gptj-cloud/model`, which this package does not import. */
export type TokenId = number;
