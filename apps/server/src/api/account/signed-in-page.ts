/** The pages after a sign-in with a provider. */
import { createHash } from 'node:crypto';
import type { ApiError } from '@gptj-cloud/protocol';

const SCRIPT = `
const form = document.querySelector('form'), out = document.querySelector('output');
const show = (text) => { out.textContent = text; };
fetch('/v2/auth/session').then(async (reply) => {
  if (!reply.ok) return show('You are not signed in.');
  const session = await reply.json();
  show((location.hash === '#linked' ? 'Linked. ' : '') + 'You are signed in as ' + session.user.username + '.');
  form.hidden = false;
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    const made = await fetch('/v2/tokens', {
      method: 'POST', headers: { 'content-type': 'application/json', 'x-csrf-token': session.csrf_token }, body: '{}' });
    const body = await made.json();
    form.hidden = made.ok;
    show(made.ok ? 'Your API token, shown this once: ' + body.value : body.detail.message + ' (' + body.detail.remedy + ')');
  });
});`;

const policy = (script: string): string =>
  `default-src 'none'; ${script}base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;
const HASH = createHash('sha256').update(SCRIPT).digest('base64');

/** Shows the signed-in user, and creates an API token on request. */
export function signedInPage(): Response {
  return page(
    200,
    'Signed in',
    `<p><output></output></p><form hidden><p><button>Make an API token</button></p></form><script>${SCRIPT}</script>`,
    policy(`script-src 'sha256-${HASH}'; connect-src 'self'; `),
  );
}

/** An error as a page. */
export function errorPage(error: ApiError, requestId: string): Response {
  const { remedy } = error.details;
  const lines = [error.message, typeof remedy === 'string' ? remedy : '', `${error.code}, request ${requestId}`];
  const body = lines.map((line) => `<p>${escapeHtml(line)}</p>`).join('');
  const reply = page(error.status, 'Signing in did not work', body, policy(''));
  if (error.retryAfterSeconds !== null) reply.headers.set('retry-after', String(error.retryAfterSeconds));
  return reply;
}

function page(status: number, title: string, body: string, contentPolicy: string): Response {
  const html = `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${title}</title><h1>${title}</h1>${body}</html>`;
  return new Response(html, {
    status,
    headers: { 'content-type': 'text/html; charset=utf-8', 'content-security-policy': contentPolicy },
  });
}

function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);
}
