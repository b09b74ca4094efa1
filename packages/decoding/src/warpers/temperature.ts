/** Divide by the temperature: below 1 sharpens, above 1 flattens. Returns the steps. */
export function scaleByTemperature(scores: Float32Array, temperature: number): number {
  for (let id = 0; id < scores.length; id++) scores[id] = scores[id]! / temperature;
  return 2 * scores.length;
}
