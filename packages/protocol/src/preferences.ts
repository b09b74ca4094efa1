import { z } from 'zod';

const MAX_HINTS = 50;

/** Choices of a user for the dashboard. An absent one has the default of the dashboard. */
const fields = {
  /** `system`: as the browser asks for. */
  theme: z.enum(['system', 'light', 'dark']),
  density: z.enum(['comfortable', 'compact']),
  /** Whether keys without a modifier act, such as `j` and `k`. */
  single_key_shortcuts: z.boolean(),
  /** Font of prompts and generated text. */
  text_font: z.enum(['sans', 'mono', 'serif']),
  motion: z.enum(['system', 'reduced']),
  /** Times are shown in this zone beside the local one. */
  time_zone: z.enum(['local', 'utc']),
  /** Hints that the user has dismissed. */
  dismissed_hints: z
    .array(z.string().regex(/^[a-z0-9-]{1,40}$/, 'expected 1 to 40 characters a-z, 0-9 and -'))
    .max(MAX_HINTS, `expected at most ${MAX_HINTS} hints`),
};

export const preferencesSchema = z.object(fields).partial();
export type Preferences = z.infer<typeof preferencesSchema>;

/** Absent fields stay, null clears one. */
export const preferencesPatchSchema = z.strictObject({
  theme: fields.theme.nullish(),
  density: fields.density.nullish(),
  single_key_shortcuts: fields.single_key_shortcuts.nullish(),
  text_font: fields.text_font.nullish(),
  motion: fields.motion.nullish(),
  time_zone: fields.time_zone.nullish(),
  dismissed_hints: fields.dismissed_hints.nullish(),
});
export type PreferencesPatch = z.infer<typeof preferencesPatchSchema>;
