/**
 * The pages that links in mails and the link printed at the first start open. The link's secret is in the fragment:
 * browsers do not send it, so it is in no log and no Referer; and a mail scanner that opens links uses up no secret.
 */
import { createHash } from 'node:crypto';

export type LinkPageKind = 'set-up' | 'verify-email' | 'reset-password' | 'change-email' | 'oauth-code';

interface PageText {
  readonly title: string;
  readonly fields: readonly (readonly [name: string, type: string, label: string])[];
  readonly done: string;
}

const RULE = 'Password (at least 8 characters with a digit, a lower-case and an upper-case letter)';
const TEXTS: Readonly<Record<LinkPageKind, PageText>> = {
  'set-up': {
    title: 'Set up the owner of this server',
    fields: [
      ['email', 'email', 'E-mail address'],
      ['username', 'text', 'Username'],
      ['password', 'password', RULE],
    ],
    done: 'Done. You can sign in now.',
  },
  'verify-email': { title: 'Confirm your e-mail address', fields: [], done: 'Done. The address is confirmed.' },
  'reset-password': {
    title: 'Set a new password',
    fields: [['password', 'password', RULE]],
    done: 'Done. You can sign in with it now.',
  },
  'change-email': { title: 'Change to this e-mail address', fields: [], done: 'Done. The address is changed.' },
  'oauth-code': {
    title: 'Second step of signing in',
    fields: [['code', 'text', 'Code of the authenticator app, or a recovery code']],
    done: 'Done. You are signed in.',
  },
};

const SCRIPT = `
const form = document.querySelector('form'), out = document.querySelector('output');
form.addEventListener('submit', async (event) => {
  event.preventDefault();
  const body = { ...Object.fromEntries(new FormData(form)), token: location.hash.slice(1) };
  const reply = await fetch(location.pathname, {
    method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
  if (reply.ok) { form.hidden = true; out.textContent = form.dataset.done; return; }
  const { detail } = await reply.json();
  out.textContent = detail.message + ' (' + detail.remedy + ')';
});`;

const POLICY = [
  "default-src 'none'",
  `script-src 'sha256-${createHash('sha256').update(SCRIPT).digest('base64')}'`,
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** A form that posts its fields, with the link's secret, to its own address. */
export function linkPage(kind: LinkPageKind): Response {
  const { title, fields, done } = TEXTS[kind];
  const inputs = fields.map(
    ([name, type, label]) => `<p><label>${label}<br><input name="${name}" type="${type}" required></label></p>`,
  );
  const html = `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${title}</title><h1>${title}</h1>
<form data-done="${done}">${inputs.join('')}<p><button>${title}</button></p></form>
<p><output></output></p><script>${SCRIPT}</script></html>`;
  return new Response(html, {
    headers: { 'content-type': 'text/html; charset=utf-8', 'content-security-policy': POLICY },
  });
}
