import { DecodingError } from '../decoding-error.ts';

/** Index of the largest value, the lowest on ties; -1 when all are -inf. NaN is ignored. */
export type Argmax = (values: Float32Array) => number;

/** `Argmax` in JavaScript. */
export function argmax(values: Float32Array): number {
  let best = -1;
  let largest = Number.NEGATIVE_INFINITY;
  for (let index = 0; index < values.length; index++) {
    const value = values[index]!;
    if (value > largest) {
      largest = value;
      best = index;
    }
  }
  return best;
}

/** Index of the largest value. Throws `no_possible_token` when all are -inf. */
export function argmaxOrRefuse(values: Float32Array, largest: Argmax = argmax): number {
  const best = largest(values);
  if (best === -1) throw noPossibleToken();
  return best;
}

/** The error of a position at which every token is forbidden. */
export function noPossibleToken(): DecodingError {
  return new DecodingError(
    'no_possible_token',
    'every token is forbidden at this position; loosen the parameters that forbid tokens',
  );
}
