/** Entries of the log as people read them on a terminal. */

export interface LogEntry {
  readonly time: Date;
  readonly level: string;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** Fields whose text is long: each is written below the line, indented. */
const BLOCKS: ReadonlySet<string> = new Set(['text', 'stack']);
const COLOUR: Readonly<Record<string, string>> = { debug: '2', info: '36', warn: '33', error: '31' };
/** What a terminal would obey instead of showing, or that changes the direction of a line. */
const UNPRINTABLE = /\p{Cc}|[\u2028-\u202e\u2066-\u2069]/gu;

/**
 * `12:03:05 warn  message  name=value`, and below it long texts. Values come from clients: characters that a terminal
 * obeys are escaped.
 */
export function formatForPeople({ time, level, message, fields }: LogEntry, colours: boolean): string {
  const blocks: string[] = [];
  const pairs = flatten('', fields, blocks);
  const name = level.padEnd(5);
  const shown = colours ? `\u001b[${COLOUR[level] ?? '0'}m${name}\u001b[0m` : name;
  const line = [`${clockOf(time)} ${shown} ${printable(message)}`, ...pairs].join('  ');
  return [line, ...blocks].map((each) => `${each}\n`).join('');
}

/** Pairs of the line; texts of several lines go to `blocks`. */
function flatten(prefix: string, fields: Readonly<Record<string, unknown>>, blocks: string[]): string[] {
  return Object.entries(fields).flatMap(([name, value]) => {
    const path = prefix === '' ? name : `${prefix}.${name}`;
    if (typeof value === 'string' && BLOCKS.has(name)) {
      blocks.push(...value.split('\n').map((line) => `    ${printable(line)}`));
      return [];
    }
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      return flatten(path, value as Readonly<Record<string, unknown>>, blocks);
    }
    return [`${path}=${shownValue(value)}`];
  });
}

function shownValue(value: unknown): string {
  if (typeof value === 'string' && /^[\w@:./+-]+$/.test(value)) return value;
  return printable(JSON.stringify(value) ?? 'undefined');
}

function printable(text: string): string {
  return text.replace(UNPRINTABLE, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** The time of day where the operator is. */
function clockOf(time: Date): string {
  return [time.getHours(), time.getMinutes(), time.getSeconds()].map((part) => String(part).padStart(2, '0')).join(':');
}
