/** Last day of security fixes of Node's release lines with long-term support, from the schedule of nodejs/Release. */
const END_OF_LIFE: Readonly<Record<number, string>> = {
  20: '2026-04-30',
  22: '2027-04-30',
  24: '2028-04-30',
  26: '2029-04-30',
};

/** A line of text for the operator when this Node gets no security fixes any more at `now`, or null. */
export function describeNodeRelease(version: string, now: Date): string | null {
  const major = Number(version.split('.')[0]);
  // Odd lines live for half a year; all lines before the oldest listed one have ended.
  const listed = Object.keys(END_OF_LIFE).map(Number);
  const end = END_OF_LIFE[major];
  const hasEnded = end === undefined ? major < Math.max(...listed) : now > new Date(`${end}T23:59:59Z`);
  if (!hasEnded) return null;
  const current = listed.filter((each) => now <= new Date(`${END_OF_LIFE[each]}T23:59:59Z`));
  const advice = current.length === 0 ? 'a supported release' : `Node ${Math.min(...current)} or later`;
  return `Node ${version} gets no security fixes any more${end === undefined ? '' : ` since ${end}`}; use ${advice}`;
}
