import { invalidParameter } from '@gptj-cloud/protocol';
import { COMMON_PASSWORDS, COMMON_WORDS } from './common-passwords.ts';

const split = (text: string): string[] => text.split(/\s/).filter((word) => word !== '');
const WORDS: ReadonlySet<string> = new Set(split(COMMON_WORDS));
const PASSWORDS: ReadonlySet<string> = new Set(split(COMMON_PASSWORDS));
/** Digits and signs around a word that make no rare password of it. */
const MAX_DECORATION = 4;
const LETTER_OF: Readonly<Record<string, string>> = {
  '0': 'o',
  '1': 'i',
  '3': 'e',
  '4': 'a',
  '5': 's',
  '7': 't',
  '8': 'b',
  '@': 'a',
  $: 's',
  '!': 'i',
};
/** Runs of characters, in either direction and from any of them on. */
const WALKS: readonly string[] = [
  'abcdefghijklmnopqrstuvwxyz',
  '01234567890123456789',
  'qwertyuiopasdfghjklzxcvbnm',
  'qwertzuiopasdfghjklyxcvbnm',
  'azertyuiopqsdfghjklmwxcvbn',
  'qazwsxedcrfvtgbyhnujmikolp',
  '1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p',
  '1q2w3e4r5t6y7u8i9o0p',
];

/** Whose password it is, as far as it is known. */
export interface PasswordOwner {
  readonly username: string;
  readonly email: string;
}

/**
 * Refuse a password that attackers try first: a listed one, a common word or the user's own name with a few digits or signs
 * around it or letters written as digits, a short text repeated, or a run of keys. Throws `invalid_request` for `parameter`.
 */
export function refuseCommonPassword(parameter: string, password: string, owner: PasswordOwner): void {
  if (!isCommonPassword(password, owner)) return;
  throw invalidParameter(parameter, 'expected a password that is not among the most common ones, got a common one');
}

export function isCommonPassword(password: string, { username, email }: PasswordOwner): boolean {
  const text = password.normalize('NFKC').toLowerCase();
  const own = [username, email, email.split('@')[0] ?? ''].map((name) => name.toLowerCase());
  const isWord = (candidate: string): boolean =>
    WORDS.has(candidate) || PASSWORDS.has(candidate) || own.includes(candidate) || isPattern(candidate);
  return undecorated(text).some((core) => isWord(core) || isWord(toLetters(core)));
}

/** The text without up to four digits or signs in all before and after it, in every way. */
function undecorated(text: string): string[] {
  const isDecoration = (at: number): boolean => /[^\p{L}]/u.test(text[at] ?? 'x');
  const cores: string[] = [];
  for (let start = 0; start <= MAX_DECORATION; start++) {
    if (start > 0 && !isDecoration(start - 1)) break;
    for (let cut = 0; start + cut <= MAX_DECORATION; cut++) {
      if (cut > 0 && !isDecoration(text.length - cut)) break;
      cores.push(text.slice(start, text.length - cut));
    }
  }
  return cores;
}

function toLetters(text: string): string {
  return [...text].map((each) => LETTER_OF[each] ?? each).join('');
}

/** At least four characters that are a short unit repeated, or a run of keys. */
function isPattern(text: string): boolean {
  if (text.length < 4) return false;
  for (let unit = 1; unit <= 4 && unit * 2 <= text.length; unit++) {
    if (
      text ===
      text
        .slice(0, unit)
        .repeat(Math.ceil(text.length / unit))
        .slice(0, text.length)
    )
      return true;
  }
  const reversed = [...text].reverse().join('');
  return WALKS.some((walk) => walk.includes(text) || walk.includes(reversed));
}
