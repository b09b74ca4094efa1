/** Index of the largest value; the lowest on ties; 0 when nothing is above -inf. NaN never wins. */
export function argmax(values: Float32Array): number {
  let best = 0;
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
