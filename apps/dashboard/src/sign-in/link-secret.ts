/** The secret of a mailed or printed link, which follows its `#`: browsers do not send it to the server. Null: none. */
export function linkSecret(): string | null {
  const secret = window.location.hash.slice(1);
  return secret === '' ? null : secret;
}
