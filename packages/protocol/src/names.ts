import { z } from 'zod';

/**
 * A user-chosen name: 1 to 100 characters on one line. Control, format and line-separating characters are refused:
 * names appear in logs, mails and terminals.
 */
export const nameSchema: z.ZodString = z
  .string()
  .trim()
  .min(1, 'expected at least one character')
  .max(100, 'expected at most 100 characters')
  .regex(/^[^\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]*$/u, 'expected no control characters or line breaks');
