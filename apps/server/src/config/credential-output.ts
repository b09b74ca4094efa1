/** Where the first token and the owner's link go: on a terminal alone, always printed, or always into a file. */
export const CREDENTIAL_OUTPUTS = ['terminal', 'always', 'never'] as const;
export type CredentialOutput = (typeof CREDENTIAL_OUTPUTS)[number];
