/** The rules of passwords as the server checks them, to be ticked off while the user types. */

export interface PasswordRule {
  readonly text: string;
  readonly isMet: boolean;
}

const MIN_LENGTH = 8;

/** `registration`: also a digit and letters of both cases, as Pipeline Cloud asked for. */
export function passwordRules(password: string, kind: 'registration' | 'account'): readonly PasswordRule[] {
  const length = { text: `${MIN_LENGTH} characters`, isMet: [...password].length >= MIN_LENGTH };
  if (kind === 'account') return [length];
  return [
    length,
    { text: 'a digit', isMet: /[0-9]/.test(password) },
    { text: 'a lower-case letter', isMet: /[a-z]/.test(password) },
    { text: 'an upper-case letter', isMet: /[A-Z]/.test(password) },
  ];
}
