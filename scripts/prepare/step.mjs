// Says what a start does while it takes long: a line when a step has begun, one every few seconds, one at its end.

const QUIET_MS = 700;
const EVERY_MS = 5000;

/**
 * Run `work` and return its result. `detail()`: what has been done so far, for the lines in between. Prints nothing when
 * `work` ends within a moment.
 */
export async function step(title, work, { detail = () => '', print = (line) => console.error(line) } = {}) {
  const startedAt = performance.now();
  let begun = false;
  const begin = setTimeout(() => {
    begun = true;
    print(`${title} …`);
  }, QUIET_MS);
  const seconds = () => ((performance.now() - startedAt) / 1000).toFixed(1);
  const progress = setInterval(() => {
    const done = detail();
    print(`${title} … ${seconds()} s${done === '' ? '' : `, ${done}`}`);
  }, EVERY_MS);
  try {
    const result = await work();
    if (begun) print(`${title}: done in ${seconds()} s`);
    return result;
  } finally {
    clearTimeout(begin);
    clearInterval(progress);
  }
}
