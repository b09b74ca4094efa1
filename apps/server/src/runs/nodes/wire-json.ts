/** JSON between nodes: as `JSON`, and with the numbers that JSON lacks. */

/** Name of the field that stands for such a number. No value that nodes send each other has a field of this name. */
const NUMBER = '$number';

export function toWireJson(value: unknown): string {
  return JSON.stringify(value, (_, each: unknown) =>
    typeof each === 'number' && !Number.isFinite(each) ? { [NUMBER]: String(each) } : each,
  );
}

/** Throws `SyntaxError`. */
export function fromWireJson(text: string): unknown {
  // Most texts have none, and a function that is called for each value makes parsing several times slower.
  if (!text.includes(NUMBER)) return JSON.parse(text);
  return JSON.parse(text, (_, each: unknown) =>
    typeof each === 'object' && each !== null && NUMBER in each ? Number(each[NUMBER]) : each,
  );
}
