/** Parses command-line arguments by the options that a command declares. */
import { nearestName } from './nearest-name.ts';

/** One option of a command, as it is parsed and as help shows it. */
export interface OptionSpec {
  /** Without dashes, kebab-case. */
  readonly name: string;
  /** One letter, without its dash. */
  readonly short?: string;
  /** Names of other programs with exactly this meaning, without dashes; one letter is a short name. Help leaves them out. */
  readonly aliases?: readonly string[];
  /** Placeholder of the value in help (`FILE`, `N`); null for a switch, which is also negated by `--no-name`. */
  readonly value: string | null;
  readonly summary: string;
  /** The default as help shows it. */
  readonly default?: string;
  /** The only values allowed. */
  readonly choices?: readonly string[];
}

/** An option of another program that has no equal here. */
export interface RefusedOption {
  /** Without dashes; one letter is a short name. */
  readonly names: readonly string[];
  /** Completes "--name: ": what to use. */
  readonly answer: string;
}

export interface ParsedOptions {
  /** Values of the given options; `true` or `false` of a switch. The last one counts when an option is repeated. */
  readonly values: ReadonlyMap<string, string>;
  readonly positionals: readonly string[];
}

/** The command line is invalid: the message is printed with a pointer to help, and the exit status is 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
  readonly code = 'usage';
}

/** Throws `UsageError` for an unknown option, a missing value, or a value that is not among the choices. */
export function parseOptions(
  specs: readonly OptionSpec[],
  args: readonly string[],
  refused: readonly RefusedOption[] = [],
): ParsedOptions {
  const values = new Map<string, string>();
  const positionals: string[] = [];
  for (let at = 0; at < args.length; at++) {
    const arg = args[at]!;
    if (arg === '--') {
      positionals.push(...args.slice(at + 1));
      break;
    }
    if (!arg.startsWith('-') || arg === '-') {
      positionals.push(arg);
      continue;
    }
    const { spec, inline } = findOption(specs, refused, arg);
    if (spec.value === null) {
      values.set(spec.name, switchValue(arg, inline));
    } else {
      const value = inline ?? args[++at];
      if (value === undefined || (inline === null && value.startsWith('--'))) {
        throw new UsageError(`--${spec.name} expects a value: --${spec.name} ${spec.value}`);
      }
      if (spec.choices !== undefined && !spec.choices.includes(value)) {
        throw new UsageError(
          `--${spec.name}: expected one of ${spec.choices.join(', ')}, got ${JSON.stringify(value)}`,
        );
      }
      values.set(spec.name, value);
    }
  }
  return { values, positionals };
}

/** The integer value of an option; null when the option is absent. Throws `UsageError` outside the bounds. */
export function integerOption(
  options: ParsedOptions,
  name: string,
  bounds: { readonly min: number; readonly max: number },
): number | null {
  const text = options.values.get(name);
  if (text === undefined) return null;
  const number = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (!(number >= bounds.min && number <= bounds.max)) {
    throw new UsageError(
      `--${name}: expected an integer from ${bounds.min} to ${bounds.max}, got ${JSON.stringify(text)}`,
    );
  }
  return number;
}

/** Whether a switch is on. */
export function isOn(options: ParsedOptions, name: string): boolean {
  return options.values.get(name) === 'true';
}

/** The texts of an option that takes several, separated by commas; null when the option is absent. */
export function listOption(options: ParsedOptions, name: string): readonly string[] | null {
  const text = options.values.get(name);
  if (text === undefined) return null;
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

interface Found {
  readonly spec: OptionSpec;
  /** The text after `=`; `false` for `--no-name`. */
  readonly inline: string | null;
}

function findOption(specs: readonly OptionSpec[], refused: readonly RefusedOption[], arg: string): Found {
  const equals = arg.indexOf('=');
  const inline = equals < 0 ? null : arg.slice(equals + 1);
  const flag = equals < 0 ? arg : arg.slice(0, equals);
  const long = flag.startsWith('--');
  // Parameters of generate have underscores on the wire: `--top_p` is `--top-p`.
  const name = flag.replace(/^--?/, '').replaceAll('_', '-');
  const spec = specs.find((candidate) => (long ? candidate.name === name : candidate.short === name));
  if (spec !== undefined) return { spec, inline };
  // Other programs have long names of one dash (`-ngl`), and none of two dashes and one letter.
  const alias = specs.find(({ aliases = [] }) => aliases.includes(name) && (long ? name.length > 1 : name.length < 4));
  if (alias !== undefined) return { spec: alias, inline };
  const refusal = refused.find(({ names }) => names.includes(name) && (name.length > 1 || !long));
  if (refusal !== undefined) throw new UsageError(`${flag}: ${refusal.answer}`);
  const positive = specs.find((candidate) => candidate.value === null && long && `no-${candidate.name}` === name);
  if (positive !== undefined && inline === null) return { spec: positive, inline: 'false' };
  const names = specs.map((candidate) => candidate.name);
  const nearest = long ? nearestName(name, names) : null;
  throw new UsageError(`unknown option ${flag}${nearest === null ? '' : `; did you mean --${nearest}?`}`);
}

function switchValue(arg: string, inline: string | null): string {
  if (inline === null || inline === 'true') return 'true';
  if (inline === 'false') return 'false';
  throw new UsageError(`${arg}: expected true or false, or nothing, after =`);
}
