/** Definition of a setting: the parser of its text, its default, and the text shown in documentation and help. */
import { z } from 'zod';

/** Sections of the table of settings in docs/operations.md, in its order. */
export const SETTING_GROUPS = [
  'Serving',
  'Webhooks',
  'Store',
  'Accounts',
  'Billing',
  'Network',
  'Load',
  'Observability',
] as const;

/** How documentation and `gptj serve --help` show a setting. */
export interface SettingDescription {
  readonly group: (typeof SETTING_GROUPS)[number];
  /** One phrase, in Markdown. */
  readonly help: string;
  /** The default in words, if its value is not descriptive. */
  readonly shownDefault?: string;
  /** Neither errors nor replies repeat the value. */
  readonly isSecret?: boolean;
  /** The option of `gptj serve` that sets it. */
  readonly option?: SettingOption;
}

export interface SettingOption {
  /** Without dashes, kebab-case. */
  readonly name: string;
  /** One letter, without its dash. */
  readonly short?: string;
  /** Placeholder of the value in help. */
  readonly value: string;
}

/** Descriptions of the settings, by their schemas. */
export const settingDescriptions = z.registry<SettingDescription>();

interface SettingSpec<Value, Fallback> extends SettingDescription {
  readonly fallback: Fallback;
  /** The value of a text without blanks around it; undefined when the text is not valid. */
  readonly read: (text: string) => Value | undefined;
  /** Completes "expected …" in the error. */
  readonly expected: string;
}

/** Schema of one environment variable. Absent, empty and blank texts give the fallback. */
export type SettingSchema<Value> = z.ZodType<Value, string | undefined>;

/** A user name or password in an address: neither errors nor replies repeat it. */
export const CREDENTIALS: RegExp = /\/\/[^/@]*@/;

export function setting<Value, Fallback extends Value | null>(
  spec: SettingSpec<Value, Fallback>,
): SettingSchema<Value | Fallback> {
  const { fallback, read, expected, isSecret = false, ...description } = spec;
  return z
    .string()
    .optional()
    .transform((given, context): Value | Fallback => {
      const text = given?.trim() ?? '';
      if (text === '') return fallback;
      const value = read(text);
      if (value !== undefined) return value;
      const got = isSecret || CREDENTIALS.test(text) ? 'something else' : JSON.stringify(text);
      context.addIssue({ code: 'custom', message: `expected ${expected}, got ${got}` });
      return z.NEVER;
    })
    .register(settingDescriptions, { shownDefault: shown(fallback), isSecret, ...description });
}

function shown(fallback: unknown): string {
  return fallback === null ? 'none' : `\`${String(fallback)}\``;
}

type Described<Fallback> = SettingDescription & { readonly fallback: Fallback };

export function integerSetting(
  spec: Described<number> & { readonly min: number; readonly max: number },
): SettingSchema<number> {
  const { min, max, ...rest } = spec;
  return setting({
    ...rest,
    read: (text) => {
      const value = /^\d{1,12}$/.test(text) ? Number(text) : Number.NaN;
      return value >= min && value <= max ? value : undefined;
    },
    expected: `an integer from ${min} to ${max}`,
  });
}

export function switchSetting(spec: SettingDescription): SettingSchema<boolean> {
  return setting({
    fallback: false,
    read: (text) => (text === 'true' ? true : text === 'false' ? false : undefined),
    expected: 'true or false',
    ...spec,
  });
}

export function choiceSetting<Name extends string>(
  spec: Described<Name> & { readonly names: readonly Name[] },
): SettingSchema<Name> {
  const { names, ...rest } = spec;
  return setting({
    ...rest,
    read: (text) => names.find((name) => name === text),
    expected: names.join(', '),
  });
}

/** Any text. */
export function textSetting<Fallback extends string | null>(
  spec: Described<Fallback>,
): SettingSchema<string | Fallback> {
  return setting<string, Fallback>({ ...spec, read: (text) => text, expected: 'a text' });
}

/** Entries separated by commas, each read by itself; blank entries are left out. */
export function listSetting<Entry>(
  spec: SettingDescription & {
    readonly read: (entry: string) => Entry | undefined;
    readonly expected: string;
    readonly isSecret?: boolean;
  },
): SettingSchema<readonly Entry[]> {
  const { read, ...rest } = spec;
  return setting<readonly Entry[], readonly Entry[]>({
    shownDefault: 'none',
    ...rest,
    fallback: [],
    read: (text) => {
      const entries = text.split(',').flatMap((entry) => (entry.trim() === '' ? [] : [read(entry.trim())]));
      return entries.every((entry) => entry !== undefined) ? entries : undefined;
    },
  });
}

/** An API token or a scraper's. Errors do not repeat it: it may differ from the real one by one typing error. */
export function tokenSetting(description: SettingDescription): SettingSchema<string | null> {
  return setting({
    ...description,
    fallback: null,
    read: (token) => (/^[\x21-\x7e]{8,512}$/.test(token) ? token : undefined),
    expected: '8 to 512 printable ASCII characters without blanks',
    isSecret: true,
  });
}

export function isHttpUrl(text: string): boolean {
  return URL.canParse(text) && /^https?:/.test(text);
}
