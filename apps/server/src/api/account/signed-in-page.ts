/** The pages after a sign-in with a provider. */
import type { ApiError } from '@gptj-cloud/protocol';
import { html } from 'hono/html';
import { htmlPage, inlineText, pagePolicy } from '../../http/html-page.ts';

const SCRIPT = inlineText(`
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
    show(made.ok ? 'Your API token, shown only once: ' + body.value : body.detail.message + ' (' + body.detail.remedy + ')');
  });
});`);

/** Shows the signed-in user, and creates an API token on request. */
export async function signedInPage(): Promise<Response> {
  return await htmlPage({
    title: 'Signed in',
    body: html`<p><output></output></p><form hidden><p><button>Make an API token</button></p></form><script>${SCRIPT.text}</script>`,
    policy: pagePolicy(`script-src ${SCRIPT.source}`, "connect-src 'self'"),
  });
}

/** An error as a page. */
export async function errorPage(error: ApiError, requestId: string): Promise<Response> {
  const { remedy } = error.details;
  const lines = [error.message, typeof remedy === 'string' ? remedy : '', `${error.code}, request ${requestId}`];
  const reply = await htmlPage({
    status: error.status,
    title: 'Signing in did not work',
    body: html`${lines.map((line) => html`<p>${line}</p>`)}`,
    policy: pagePolicy(),
  });
  if (error.retryAfterSeconds !== null) reply.headers.set('retry-after', String(error.retryAfterSeconds));
  return reply;
}
