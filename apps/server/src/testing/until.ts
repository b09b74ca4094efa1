/** Let other work go on until a condition holds. One that never holds ends at the time limit of the test run. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setImmediate(resolve));
}
