/** Index of a vocabulary entry, 0 … vocabSize-1. The same plain number as the model room's; this room imports nothing. */
export type TokenId = number;
