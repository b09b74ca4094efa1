/** Changes of parameters, and values as the form's fields write them. */
import type { CompatVersion, ParameterDescription } from '@gptj-cloud/decoding';
import { catalogueOf, type Parameters } from './catalogue.ts';

/** With a value, or without it: undefined removes it, so that the default holds. */
export function withParameter(parameters: Parameters, name: string, value: unknown): Parameters {
  const { [name]: _, ...others } = parameters;
  return value === undefined ? others : { ...parameters, [name]: value };
}

/** The same under another name, for a name that was mistyped. */
export function renamed(parameters: Parameters, name: string, meant: string): Parameters {
  return Object.fromEntries(Object.entries(parameters).map(([key, value]) => [key === name ? meant : key, value]));
}

/** The parameters for another version; `lost` are those that it does not have. They are left out. */
export function switchCompat(
  parameters: Parameters,
  compat: CompatVersion,
): { readonly parameters: Parameters; readonly lost: readonly string[] } {
  const known = new Set(catalogueOf(compat).map(({ name }) => name));
  const kept = Object.entries(parameters).filter(([name]) => name !== 'compat' && known.has(name));
  const lost = Object.keys(parameters).filter((name) => name !== 'compat' && !known.has(name));
  return { parameters: { ...Object.fromEntries(kept), ...(compat === '4.25' ? { compat: compat } : {}) }, lost };
}

/** The text of a field, as a value of a parameter; undefined for no text: the default holds. */
export type ReadText =
  | { readonly value: unknown; readonly error: null }
  | { readonly value: undefined; readonly error: string };

const NOTHING: ReadText = { value: undefined, error: null };

/** A value from the text of a field. Texts that are no number or no JSON are errors; whether values fit is for the server's code to say. */
export function readText({ type, form }: Pick<ParameterDescription, 'type' | 'form'>, text: string): ReadText {
  const trimmed = text.trim();
  if (trimmed === '') return NOTHING;
  if (type === 'number' || type === 'integer') {
    const value = Number(trimmed.replace(',', '.'));
    return Number.isFinite(value) ? { value, error: null } : { value: undefined, error: 'expected a number' };
  }
  if (type === 'json') return readJson(trimmed, form ?? '');
  return { value: trimmed, error: null };
}

function readJson(text: string, form: string): ReadText {
  // A text is written as it is; one that begins like JSON is JSON.
  if (form.includes('"text"') && !/^[[{"]/.test(text)) return { value: text, error: null };
  try {
    return { value: JSON.parse(text), error: null };
  } catch {
    return { value: undefined, error: `expected JSON, like ${form}` };
  }
}

/** A value in the text of a field. */
export function textOfValue({ type, form }: Pick<ParameterDescription, 'type' | 'form'>, value: unknown): string {
  if (value === undefined || value === null) return '';
  if (type !== 'json') return String(value);
  if (typeof value === 'string' && form?.includes('"text"') === true && !/^\s*[[{"]/.test(value)) return value;
  return JSON.stringify(value);
}

/** The default in words: `50`, `on`, `none`. */
export function defaultText({ type, default: fallback }: ParameterDescription): string {
  if (fallback === undefined) return 'none';
  if (type === 'boolean') return fallback === true ? 'on' : 'off';
  return String(fallback);
}

/** The allowed values in words, for numbers with bounds. */
export function rangeText({ type, min, max, above }: ParameterDescription): string | null {
  if (type !== 'number' && type !== 'integer') return null;
  const low = above === undefined ? (min === undefined ? null : `at least ${min}`) : `above ${above}`;
  const high = max === undefined || max >= Number.MAX_SAFE_INTEGER ? null : `at most ${max}`;
  if (min !== undefined && max !== undefined && high !== null) return `${min} to ${max}`;
  return [low, high].filter((part) => part !== null).join(', ') || null;
}
