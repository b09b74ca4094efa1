/** Name of a session's cookie. Browsers accept a `__Host-` cookie from this host over TLS only. */
export function sessionCookieName(secure: boolean): string {
  return secure ? '__Host-gptj_session' : 'gptj_session';
}

/** Name of the cookie by which accounts know a browser that has signed in before. */
export function deviceCookieName(secure: boolean): string {
  return secure ? '__Host-gptj_device' : 'gptj_device';
}
