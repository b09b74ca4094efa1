/**
 * Token events are coalesced for up to this long, in milliseconds, when no client is streaming the generation. A message
 * between the processes costs both of them 0.1 to 0.2 ms of processor time, and the embedded model makes a token in about
 * 1 ms. The usage of a generation that ends early is metered with the same delay.
 */
export const EVENT_COALESCE_MS = 100;
