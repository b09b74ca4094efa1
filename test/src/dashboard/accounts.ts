/** What accounts need outside of a browser: a client with a session, codes of an authenticator app, mailed links. */
import { createHmac } from 'node:crypto';
import { PipelineCloud } from '@gptj-cloud/sdk';
import type { Account, Dashboard } from './dashboard.ts';

/** A client that is signed in to an account. */
export async function sessionOf(dashboard: Dashboard, { username, password }: Account): Promise<PipelineCloud> {
  const cookies = new Map<string, string>();
  const api = new PipelineCloud({
    session: true,
    url: dashboard.url,
    fetch: async (input, init = {}) => {
      const headers = new Headers(init.headers);
      headers.set('cookie', [...cookies].map(([name, value]) => `${name}=${value}`).join('; '));
      const reply = await fetch(input, { ...init, headers });
      for (const line of reply.headers.getSetCookie()) {
        const [, name, value] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
        if (name !== undefined && value !== undefined) cookies.set(name, value);
      }
      return reply;
    },
  });
  await api.auth.login({ login: username, password });
  return api;
}

const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/** The code of an authenticator app: RFC 6238 with steps of 30 s, six digits and SHA-1. */
export function authenticatorCode(secret: string, now: Date): string {
  const letters = [...secret.replaceAll(' ', '')];
  const bits = letters.map((letter) => BASE32.indexOf(letter).toString(2).padStart(5, '0')).join('');
  const key = Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(now.getTime() / 30_000)));
  const hash = createHmac('sha1', key).update(counter).digest();
  const offset = (hash.at(-1) ?? 0) & 15;
  return String((hash.readUInt32BE(offset) & 0x7fffffff) % 1_000_000).padStart(6, '0');
}

/** The latest link to a page that was mailed to an address: without a mail server the log has it. */
export function mailedLink(dashboard: Dashboard, to: string, page: string): string {
  const mails = dashboard.log.filter((line) => line.includes(to));
  const links = mails.flatMap((line) => line.match(/https?:[^\s"\\]+#[\w-]+/g) ?? []);
  const link = links.filter((each) => each.includes(page)).at(-1);
  if (link === undefined) throw new Error(`no link to ${page} was mailed to ${to}`);
  return link;
}
