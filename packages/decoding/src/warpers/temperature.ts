/** Divide by the temperature: below 1 sharpens, above 1 flattens. */
export function scaleByTemperature(scores: Float32Array, temperature: number): void {
  for (let id = 0; id < scores.length; id++) scores[id] = scores[id]! / temperature;
}
