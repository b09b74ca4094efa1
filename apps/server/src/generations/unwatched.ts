/**
 * By how much may be late what the engine tells of a generation that nobody can watch before its end. Each message takes
 * a tenth of a millisecond or two of both processes: the embedded model makes a token in one. What is charged for a
 * generation that is cut short is late by as much.
 */
export const UNWATCHED_MS = 100;
