/** Values of search parameters as an address states them: bad ones are left out, so that an old link still opens the page. */

export type RawSearch = Readonly<Record<string, unknown>>;

/** At most this many characters of a text in an address count. */
const MAX_TEXT = 500;

export function textIn(raw: RawSearch, name: string): string | undefined {
  const value = raw[name];
  // The router reads `?q=7` as a number.
  if (typeof value === 'number') return String(value);
  return typeof value === 'string' && value !== '' ? value.slice(0, MAX_TEXT) : undefined;
}

export function choiceIn<Choice extends string>(
  raw: RawSearch,
  name: string,
  choices: readonly Choice[],
): Choice | undefined {
  const value = textIn(raw, name);
  return choices.find((choice) => choice === value);
}

/** The object without fields that are undefined, as exact optional properties need it. */
export function defined<Fields extends object>(
  fields: Fields,
): { [Name in keyof Fields]?: Exclude<Fields[Name], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as never;
}
