/** The first index at which two lists of tokens differ, in id or length; null when they are the same. */
export function firstDifference(
  before: readonly { readonly id: number }[],
  after: readonly { readonly id: number }[],
): number | null {
  const length = Math.max(before.length, after.length);
  for (let index = 0; index < length; index++) if (before[index]?.id !== after[index]?.id) return index;
  return null;
}
