/**
 * The script of the manual's pages: copies code, filters the navigation, switches the language of examples and sends
 * requests. It makes no markup of text, so that it runs under Trusted Types. A typed token stays in the page's memory.
 */
export const MANUAL_SCRIPT = `
(() => {
  'use strict';
  const MAX_SHOWN = 200000;
  const LANGUAGE = 'gptj-manual-language';
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const announce = (text) => { document.querySelector('.status').textContent = text; };

  document.addEventListener('click', async (event) => {
    const button = event.target.closest('button');
    if (button?.classList.contains('copy')) await copy(button);
    if (button?.classList.contains('pages')) {
      const isOpen = button.parentElement.toggleAttribute('data-open');
      button.setAttribute('aria-expanded', String(isOpen));
    }
    if (button?.getAttribute('role') === 'tab') chooseLanguage(button.dataset.language, true);
  });

  async function copy(button) {
    const code = button.parentElement.querySelector('code');
    try {
      await navigator.clipboard.writeText(code.textContent);
      button.textContent = 'Copied';
    } catch {
      // Without TLS only this machine's pages may write the clipboard.
      getSelection().selectAllChildren(code);
      button.textContent = 'Selected';
    }
    announce(button.textContent);
    setTimeout(() => { button.textContent = 'Copy'; }, 2000);
  }

  document.getElementById('filter').addEventListener('input', ({ target }) => {
    const words = target.value.toLowerCase().split(/\\s+/);
    const fits = (element) => words.every((word) => element.textContent.toLowerCase().includes(word));
    for (const section of all('.side section')) {
      const links = all('a', section);
      for (const link of links) link.hidden = !fits(link);
      section.hidden = links.every((link) => link.hidden);
    }
    for (const row of all('.filtered')) row.hidden = !fits(row);
  });

  function chooseLanguage(language, isChosen) {
    for (const tabs of all('.tabs')) {
      const known = all('[role=tab]', tabs).some((tab) => tab.dataset.language === language);
      if (!known) continue;
      for (const tab of all('[role=tab]', tabs)) {
        const isOn = tab.dataset.language === language;
        tab.setAttribute('aria-selected', String(isOn));
        tab.tabIndex = isOn ? 0 : -1;
        document.getElementById(tab.getAttribute('aria-controls')).hidden = !isOn;
      }
    }
    if (isChosen) try { localStorage.setItem(LANGUAGE, language); } catch { /* The choice lasts for this page. */ }
  }
  try { chooseLanguage(localStorage.getItem(LANGUAGE) ?? 'curl', false); } catch { chooseLanguage('curl', false); }
  for (const tabs of all('.tabs')) {
    tabs.addEventListener('keydown', (event) => {
      const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (step === undefined) return;
      const list = all('[role=tab]', tabs);
      const next = list[(list.indexOf(document.activeElement) + step + list.length) % list.length];
      next.focus();
      chooseLanguage(next.dataset.language, true);
    });
  }

  function openTarget() {
    const target = location.hash.length > 1 ? document.getElementById(decodeURIComponent(location.hash.slice(1))) : null;
    if (target?.tagName === 'DETAILS') { target.open = true; target.scrollIntoView(); }
  }
  addEventListener('hashchange', openTarget);
  openTarget();

  for (const form of all('form.try')) {
    let stop = null;
    const [send, cancel] = all('button', form);
    const shown = form.querySelector('.reply');
    cancel.addEventListener('click', () => stop?.abort());
    form.addEventListener('submit', async (event) => {
      event.preventDefault();
      const { method, path, risk } = form.dataset;
      if (risk !== undefined && !confirm(risk)) return;
      stop = new AbortController();
      send.disabled = true;
      cancel.hidden = false;
      shown.hidden = false;
      shown.textContent = 'Waiting for the reply …';
      const started = performance.now();
      try {
        const reply = await fetch(addressOf(form, path), await requestOf(form, method, stop.signal));
        const time = Math.round(performance.now() - started);
        const head = reply.status + ' ' + reply.statusText + ' after ' + time + ' ms\\n\\n';
        announce('Reply ' + reply.status);
        await show(reply, head, shown);
      } catch (error) {
        shown.textContent = stop.signal.aborted ? shown.textContent + '\\n\\nStopped.' : String(error);
      } finally {
        send.disabled = false;
        cancel.hidden = true;
      }
    });
  }

  function addressOf(form, path) {
    const data = new FormData(form);
    const query = new URLSearchParams();
    let address = path;
    for (const [name, value] of data) {
      const [place, key] = [name.slice(0, name.indexOf(':')), name.slice(name.indexOf(':') + 1)];
      if (place === 'path') address = address.replace('{' + key + '}', value.split('/').map(encodeURIComponent).join('/'));
      if (place === 'query' && value !== '') query.set(key, value);
    }
    return query.size === 0 ? address : address + '?' + query;
  }

  async function requestOf(form, method, signal) {
    const headers = {};
    const token = document.getElementById('token').value.trim();
    if (token !== '') headers.authorization = 'Bearer ' + token;
    for (const [name, value] of new FormData(form)) if (name.startsWith('header:') && value !== '') headers[name.slice(7)] = value;
    const body = form.querySelector('textarea')?.value;
    if (body !== undefined) headers['content-type'] = 'application/json';
    if (token === '' && method !== 'GET') {
      const session = await fetch('/v2/auth/session', { signal });
      if (session.ok) headers['x-csrf-token'] = (await session.json()).csrf_token;
    }
    return { method, headers, signal, ...(body === undefined ? {} : { body }) };
  }

  async function show(reply, head, shown) {
    shown.textContent = head;
    if (/json/.test(reply.headers.get('content-type') ?? '')) {
      const text = await reply.text();
      try { shown.textContent = (head + JSON.stringify(JSON.parse(text), null, 2)).slice(0, MAX_SHOWN); } catch { shown.textContent = head + text; }
      return;
    }
    const reader = reply.body.pipeThrough(new TextDecoderStream()).getReader();
    for (let length = 0; ; ) {
      const { done, value } = await reader.read();
      if (done) return;
      length += value.length;
      if (length > MAX_SHOWN) { await reader.cancel(); shown.append('\\n… the rest is not shown.'); return; }
      shown.append(value);
      shown.scrollTop = shown.scrollHeight;
    }
  }
})();
`;
