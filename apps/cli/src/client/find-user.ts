import type { PipelineCloud, User } from '@gptj-cloud/sdk';

/** The account with the id, the e-mail address or the username `name`. Throws an error that lists similar ones. */
export async function findUser(api: PipelineCloud, name: string, signal: AbortSignal): Promise<User> {
  if (/^user_[0-9a-f]{32}$/.test(name)) return await api.users.get(name, { signal });
  const { items } = await api.users.list({ text: name, limit: 100, signal });
  const same = (text: string): boolean => text.toLowerCase() === name.toLowerCase();
  const found = items.find(({ email, username }) => same(email) || same(username));
  if (found !== undefined) return found;
  const similar = items.slice(0, 5).map(({ username, email }) => `${username} <${email}>`);
  const hint = similar.length === 0 ? 'gptj users list shows all' : `similar: ${similar.join(', ')}`;
  throw new Error(`no account has the id, address or username ${JSON.stringify(name)}; ${hint}`);
}
