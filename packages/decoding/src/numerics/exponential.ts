const STEPS = 256;
const STEPS_PER_UNIT = STEPS / Math.LN2;
const UNIT_PER_STEP = Math.LN2 / STEPS;
/** Below this, exp underflows in float64. */
const SMALLEST = -745;

const fractions = Float64Array.from({ length: STEPS }, (_, at) => 2 ** (at / STEPS));
const powers = Float64Array.from({ length: 1080 }, (_, at) => 2 ** -at);

/**
 * exp(x) for x <= 0, within 3e-12 of the true value: 2^whole * 2^(step / 256) * a cubic of the rest. A softmax over
 * a whole vocabulary takes 50400 of them, and `Math.exp` alone would cost more than every warper together.
 */
export function expOfNegative(x: number): number {
  if (!(x > SMALLEST)) return 0;
  const scaled = x * STEPS_PER_UNIT;
  const steps = Math.floor(scaled);
  const rest = (scaled - steps) * UNIT_PER_STEP;
  const step = steps & (STEPS - 1);
  return fractions[step]! * powers[-(steps >> 8)]! * (1 + rest * (1 + rest * (0.5 + rest * (1 / 6))));
}
