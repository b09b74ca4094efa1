/**
 * The pages that links in mails and the link printed at the first start open. The link's secret is in the fragment:
 * browsers do not send it, so it is in no log and no Referer; and a mail scanner that opens links uses up no secret.
 */
import { html } from 'hono/html';
import { htmlPage, inlineText, pagePolicy } from '../../http/html-page.ts';

export type LinkPageKind = 'set-up' | 'verify-email' | 'reset-password' | 'change-email' | 'oauth-code';

interface PageText {
  readonly title: string;
  readonly fields: readonly (readonly [name: string, type: string, label: string])[];
  readonly done: string;
}

const RULE = 'Password (at least 8 characters; a long one of several words is best)';
const PRESENT = 'Password of your account';
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
  'verify-email': {
    title: 'Confirm your e-mail address',
    fields: [['password', 'password', PRESENT]],
    done: 'Done. The address is confirmed.',
  },
  'reset-password': {
    title: 'Set a new password',
    fields: [['password', 'password', RULE]],
    done: 'Done. You can sign in with it now.',
  },
  'change-email': {
    title: 'Change to this e-mail address',
    fields: [['password', 'password', PRESENT]],
    done: 'Done. The address is changed.',
  },
  'oauth-code': {
    title: 'Second step of signing in',
    fields: [['code', 'text', 'Code of the authenticator app, or a recovery code']],
    done: 'Done. You are signed in.',
  },
};

const SCRIPT = inlineText(`
const form = document.querySelector('form'), out = document.querySelector('output');
form.addEventListener('submit', async (event) => {
  event.preventDefault();
  const body = { ...Object.fromEntries(new FormData(form)), token: location.hash.slice(1) };
  const reply = await fetch(location.pathname, {
    method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
  if (reply.ok) { form.hidden = true; out.textContent = form.dataset.done; return; }
  const { detail } = await reply.json();
  out.textContent = detail.message + ' (' + detail.remedy + ')';
});`);

/** A form that posts its fields, with the link's secret, to its own address. */
export async function linkPage(kind: LinkPageKind): Promise<Response> {
  const { title, fields, done } = TEXTS[kind];
  const inputs = fields.map(
    ([name, type, label]) => html`<p><label>${label}<br><input name="${name}" type="${type}" required></label></p>`,
  );
  return await htmlPage({
    title,
    body: html`
<form data-done="${done}">${inputs}<p><button>${title}</button></p></form>
<p><output></output></p><script>${SCRIPT.text}</script>`,
    policy: pagePolicy(`script-src ${SCRIPT.source}`, "connect-src 'self'"),
  });
}
