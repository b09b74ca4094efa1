import type { Scope } from '@gptj-cloud/protocol';

/** Addresses that make runs, whatever API they belong to. */
const RUNNING = [
  '/',
  '/v2/runs',
  '/v2/data',
  '/v2/files',
  '/v1',
  '/models',
  '/generate',
  '/generate_stream',
  '/complete',
];
/** Addresses of accounts: looking needs `read`, changing `admin`. */
const ACCOUNTS = ['/v2/projects', '/v2/invitations', '/v2/billing', '/v2/plan', '/v2/plans'];
/** Addresses where looking needs `admin`, too. */
const PRIVATE = ['/v2/tokens', '/v2/users', '/v2/auth', '/v2/audit-log', '/v2/admin', '/metrics'];

/**
 * The scopes of which a request needs one; none for an empty list. `admin` is enough for everything. What no line here
 * names needs `read` to look and `write` to do anything else.
 */
export function requiredScopes(method: string, path: string): readonly Scope[] {
  const looks = method === 'GET' || method === 'HEAD';
  const isIn = (prefixes: readonly string[]): boolean =>
    prefixes.some((prefix) => path === prefix || path.startsWith(`${prefix}/`));
  // What every client asks first, to see whether its token is good.
  if (looks && /^\/v2\/users\/me\/?$/.test(path)) return [];
  if (isIn(PRIVATE)) return ['admin'];
  if (isIn(ACCOUNTS)) return [looks ? 'read' : 'admin'];
  // Text Generation Inference takes prompts at its root.
  if ((isIn(RUNNING) || path === '/') && (looks || method === 'POST')) return looks ? ['run', 'read'] : ['run'];
  return [looks ? 'read' : 'write'];
}
