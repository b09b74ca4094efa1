/** `gptj admin token …`: the API tokens of the project that the given token belongs to. */
import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { MAX_PAGE, paginatedSchema, type TokenGet, tokenGetSchema } from '@gptj-cloud/protocol';
import { askServer } from '../ask-server.ts';
import type { CommandContext } from '../command.ts';
import { type ParsedOptions, UsageError } from '../options.ts';
import { printable } from '../printable.ts';
import { renderTable } from '../table.ts';

const TOKENS = '/v2/tokens';

/** @param args the arguments after `token`: `create [NAME]`, `list`, `enable ID`, `disable ID` */
export async function adminToken(
  context: CommandContext,
  options: ParsedOptions,
  args: readonly string[],
): Promise<void> {
  const [task, subject, ...more] = args;
  if (more.length > 0)
    throw new UsageError(`unexpected argument ${JSON.stringify(more[0])}; quote text that contains spaces`);
  switch (task) {
    case 'create':
      return await create(context, options, subject);
    case 'list':
      return await list(context, options);
    case 'enable':
    case 'disable':
      if (subject === undefined) throw new UsageError(`expected the id of the token to ${task}`);
      return await enable(context, options, subject, task === 'enable');
    default:
      throw new UsageError(`expected token create, list, enable or disable, got ${JSON.stringify(task ?? '')}`);
  }
}

async function create(context: CommandContext, options: ParsedOptions, name: string | undefined): Promise<void> {
  const expires = options.values.get('expires');
  const reply = await askServer(context, options, {
    method: 'POST',
    path: TOKENS,
    headers: await confirmation(context, options),
    body: {
      type: options.values.get('type') ?? 'editor',
      ...(name === undefined ? {} : { name }),
      ...(expires === undefined ? {} : { expires_at: parseDay(expires) }),
    },
  });
  const token = tokenGetSchema.parse(await reply.json());
  // Only the value goes to stdout, so that a script can read it.
  context.stdout.write(`${printable(token.value)}\n`);
  context.stderr.write(`${token.id}: shown only once; the server stores its hash\n`);
}

async function list(context: CommandContext, options: ParsedOptions): Promise<void> {
  const page = paginatedSchema(tokenGetSchema);
  const tokens: TokenGet[] = [];
  for (;;) {
    const path = `${TOKENS}?limit=${MAX_PAGE}&skip=${tokens.length}`;
    const { data, total } = page.parse(await (await askServer(context, options, { method: 'GET', path })).json());
    tokens.push(...data);
    if (data.length === 0 || tokens.length >= total) break;
  }
  const rows = tokens.map((token) => [
    token.id,
    token.name,
    (token.scopes ?? []).join(','),
    token.is_active ? 'active' : token.is_enabled ? 'expired' : 'disabled',
    dayOf(token.expires_at) ?? 'never',
    dayOf(token.last_used) ?? '',
  ]);
  const columns = ['id', 'name', 'scopes', 'state', 'expires', 'last used'].map((title) => ({
    title,
    isWhole: title === 'id',
  }));
  context.stdout.write(renderTable(columns, rows, context.stdout.columns ?? Number.POSITIVE_INFINITY));
}

async function enable(context: CommandContext, options: ParsedOptions, id: string, enabled: boolean): Promise<void> {
  const path = `${TOKENS}/${encodeURIComponent(id)}`;
  const reply = await askServer(context, options, {
    method: 'PATCH',
    path,
    // To disable a token needs no more than the token of the command.
    ...(enabled ? { headers: await confirmation(context, options) } : {}),
    body: { is_enabled: enabled },
  });
  const token = tokenGetSchema.parse(await reply.json());
  context.stdout.write(`${token.id}: ${token.is_enabled ? 'enabled' : 'disabled'}\n`);
}

/**
 * Headers that prove to the server that the user of the token is there: the password in GPTJ_PASSWORD, else typed at the
 * terminal. Without either there are none, and the server's refusal says what it needs.
 */
async function confirmation(
  { env, stdin, stderr }: CommandContext,
  options: ParsedOptions,
): Promise<Readonly<Record<string, string>>> {
  const password = env.GPTJ_PASSWORD ?? (stdin.isTTY === true ? await typedPassword(stdin, stderr) : '');
  const code = options.values.get('code');
  return {
    ...(password === '' ? {} : { 'x-confirm-password': encodeURIComponent(password) }),
    ...(code === undefined ? {} : { 'x-confirm-code': encodeURIComponent(code) }),
  };
}

/** Ask for the password; what is typed is not shown. */
async function typedPassword(stdin: CommandContext['stdin'], stderr: CommandContext['stderr']): Promise<string> {
  stderr.write("Password of the token's user: ");
  const hidden = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: stdin, output: hidden, terminal: true });
  const password = await new Promise<string>((resolve) => {
    lines.once('line', resolve);
    lines.once('close', () => resolve(''));
  });
  lines.close();
  stderr.write('\n');
  return password;
}

/** The end of that day, UTC. */
function parseDay(day: string): string {
  const moment = `${day}T23:59:59Z`;
  if (/^\d{4}-\d\d-\d\d$/.test(day) && !Number.isNaN(Date.parse(moment))) return moment;
  throw new UsageError(`--expires: expected a day like 2027-01-31, got ${JSON.stringify(day)}`);
}

function dayOf(timestamp: TokenGet['expires_at']): string | null {
  if (timestamp === undefined || timestamp === null) return null;
  const moment = new Date(timestamp * 1000);
  return Number.isNaN(moment.getTime()) ? String(timestamp) : moment.toISOString().slice(0, 10);
}
