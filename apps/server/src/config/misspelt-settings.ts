import { editDistance } from '@gptj-cloud/decoding';
import { settingsSchema } from './settings.ts';

/** Variables that the program reads besides the settings. */
const OTHER_KNOWN: ReadonlySet<string> = new Set([
  'GPTJ_DEBUG',
  'GPTJ_LLAMA_BACKEND',
  'GPTJ_LLAMA_LIBRARY',
  'GPTJ_PASSWORD',
  'GPTJ_URL',
  'PIPELINE_API_TOKEN',
  'PIPELINE_API_URL',
]);
/** Shorter names resemble too many variables that mean something else, as PORT does PATH. */
const MIN_LENGTH = 6;
/** A name of up to this length may differ by one edit, a longer one by two. */
const MAX_SHORT_LENGTH = 9;

/** A line for each variable that is no setting and is spelt nearly like one. It has no effect, so it is a mistake. */
export function describeMisspelt(environment: Readonly<Record<string, string | undefined>>): readonly string[] {
  const settings = Object.keys(settingsSchema.shape).filter((name) => name.length >= MIN_LENGTH);
  return Object.keys(environment).flatMap((name) => {
    if (Object.hasOwn(settingsSchema.shape, name) || OTHER_KNOWN.has(name)) return [];
    const maxEdits = name.length <= MAX_SHORT_LENGTH ? 1 : 2;
    const meant = settings.find(
      (setting) =>
        Math.abs(setting.length - name.length) <= maxEdits && editDistance(name.toUpperCase(), setting) <= maxEdits,
    );
    return meant === undefined ? [] : [`${name} is no setting and has no effect; did you mean ${meant}?`];
  });
}
