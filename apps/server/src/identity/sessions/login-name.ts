/**
 * The one form in which a login is looked up and counted: compatibility characters, case and surrounding blanks make no
 * difference. Normalised twice, since lower case may decompose a character.
 */
export function canonicalLogin(typed: string): string {
  return typed.normalize('NFKC').toLowerCase().normalize('NFKC').trim();
}
