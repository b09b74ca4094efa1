/** Parses command-line arguments by the options that a command declares. */
import { nearestName } from './nearest-name.ts';

/** One option of a command, as it is parsed and as help shows it. */
export interface OptionSpec {
  /** Without dashes, kebab-case. */
  readonly name: string;
  /** One letter, without its dash. */
  readonly short?: string;
  /** Placeholder of the value in help (`FILE`, `N`); null for a switch, which is also negated by `--no-name`. */
  readonly value: string | null;
  readonly summary: string;
  /** The default as help shows it. */
  readonly default?: string;
  /** The only values allowed. */
  readonly choices?: readonly string[];
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
export function parseOptions(specs: readonly OptionSpec[], args: readonly string[]): ParsedOptions {
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
    const { spec, inline } = findOption(specs, arg);
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

/** Throws `UsageError` unless there is one positional argument per name; the message contains missing names. */
export function requirePositionals(options: ParsedOptions, names: readonly string[]): readonly string[] {
  const { positionals } = options;
  if (positionals.length < names.length)
    throw new UsageError(`expected ${names.slice(positionals.length).join(' and ')}`);
  if (positionals.length > names.length) {
    throw new UsageError(
      `unexpected argument ${JSON.stringify(positionals[names.length])}; quote text that contains spaces`,
    );
  }
  return positionals;
}

interface Found {
  readonly spec: OptionSpec;
  /** The text after `=`; `false` for `--no-name`. */
  readonly inline: string | null;
}

function findOption(specs: readonly OptionSpec[], arg: string): Found {
  const equals = arg.indexOf('=');
  const inline = equals < 0 ? null : arg.slice(equals + 1);
  const flag = equals < 0 ? arg : arg.slice(0, equals);
  const long = flag.startsWith('--');
  // Parameters of generate have underscores on the wire: `--top_p` is `--top-p`.
  const name = flag.replace(/^--?/, '').replaceAll('_', '-');
  const spec = specs.find((candidate) => (long ? candidate.name === name : candidate.short === name));
  if (spec !== undefined) return { spec, inline };
  const positive = specs.find((candidate) => candidate.value === null && long && `no-${candidate.name}` === name);
  if (positive !== undefined && inline === null) return { spec: positive, inline: 'false' };
  const names = specs.map((candidate) => candidate.name);
  const nearest = nearestName(name, names);
  throw new UsageError(`unknown option ${flag}${nearest === null ? '' : `; did you mean --${nearest}?`}`);
}

function switchValue(arg: string, inline: string | null): string {
  if (inline === null || inline === 'true') return 'true';
  if (inline === 'false') return 'false';
  throw new UsageError(`${arg}: expected true or false, or nothing, after =`);
}
