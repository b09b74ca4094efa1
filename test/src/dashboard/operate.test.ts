/** What owners do for others: webhooks that arrive, plans that are granted, maintenance. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { GPTJ_PIPELINE_ID } from '@gptj-cloud/protocol';
import { sessionOf } from './accounts.ts';
import { SKIP_WITHOUT_CHROMIUM } from './chromium.ts';
import { type Account, OWNER, useDashboard } from './dashboard.ts';

const skip = SKIP_WITHOUT_CHROMIUM;
const repository = fileURLToPath(new URL('../../../', import.meta.url));
const member: Account = { email: 'percy@example.com', username: 'percy', password: 'correct horse battery 7A' };
const dashboard = useDashboard({ server: { webhookPrivateTargets: true } });

interface Message {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

let receiver: Server;
let address: string;
let arrived: Message[] = [];
before(async () => {
  receiver = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text) => {
      body += text;
    });
    request.on('end', () => {
      const headers = Object.entries(request.headers).map(([name, value]) => [name, String(value)]);
      arrived.push({ headers: Object.fromEntries(headers), body });
      response.writeHead(204).end();
    });
  });
  receiver.listen(0, '127.0.0.1');
  await once(receiver, 'listening');
  const bound = receiver.address();
  address = `http://127.0.0.1:${typeof bound === 'object' && bound !== null ? bound.port : 0}/hook`;
});
after(() => {
  receiver.closeAllConnections();
  receiver.close();
});

/** What a program on the page returns for a message and each of the secrets. */
type Verifier = (program: string, message: Message, secrets: readonly string[]) => readonly boolean[];

function run(command: string, args: readonly string[], input: string): string {
  const { stdout, stderr, status } = spawnSync(command, args, { input, encoding: 'utf8' });
  assert.equal(status, 0, stdout + stderr);
  return stdout;
}

const verifyInPython: Verifier = (program, { headers, body }, secrets) => {
  const calls = `
import json, sys
given = json.load(sys.stdin)
print(json.dumps([is_genuine(secret, given["headers"], given["body"].encode()) for secret in given["secrets"]]))`;
  const input = JSON.stringify({ headers, body, secrets });
  return JSON.parse(run('python3', ['-c', program + calls], input)) as readonly boolean[];
};

const verifyInTypeScript: Verifier = (program, message, secrets) => {
  const folder = mkdtempSync(join(tmpdir(), 'gptj-signature-'));
  try {
    symlinkSync(join(repository, 'node_modules'), join(folder, 'node_modules'));
    const given = JSON.stringify({ ...message, secrets });
    const call = `
const { headers, body, secrets }: { headers: Record<string, string>; body: string; secrets: string[] } = ${given};
console.log(JSON.stringify(secrets.map((secret) => isGenuine(secret, headers, body))));`;
    const file = join(folder, 'receiver.mts');
    writeFileSync(file, program + call);
    const options = [
      '--ignoreConfig',
      '--strict',
      '--module',
      'nodenext',
      '--target',
      'es2022',
      '--types',
      'node',
      '--skipLibCheck',
    ];
    run(process.execPath, [join(repository, 'node_modules/typescript/bin/tsc'), ...options, file], '');
    return JSON.parse(run(process.execPath, [join(folder, 'receiver.mjs')], '')) as readonly boolean[];
  } finally {
    rmSync(folder, { recursive: true });
  }
};

test('a webhook: made, tested, verified by the programs on its page, rotated, and its message sent again', {
  skip,
}, async () => {
  arrived = [];
  const page = await dashboard().open('/webhooks', { as: OWNER });
  await page.getByRole('button', { name: 'New webhook' }).click();
  await page.getByRole('textbox', { name: 'Address' }).fill(address);
  await page.getByRole('button', { name: 'Create' }).click();
  const takeSecret = async (): Promise<string> => {
    const secret = (await page.getByText(/^whsec_/).textContent()) ?? '';
    // Only its own button closes the dialog.
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'I have copied it' }).click();
    return secret;
  };
  const first = await takeSecret();
  await page.getByRole('button', { name: 'Send a test' }).click();
  await page.getByRole('row').filter({ hasText: 'webhook.test' }).filter({ hasText: 'delivered' }).waitFor();
  const readProgram = async (name: string): Promise<string> => {
    await page.getByRole('tab', { name, exact: true }).click();
    return (await page.getByRole('tabpanel', { name }).locator('pre').textContent()) ?? '';
  };
  const programs = [
    [verifyInPython, await readProgram('Python')],
    [verifyInTypeScript, await readProgram('TypeScript')],
  ] as const;
  const isGenuine = (message: Message, secrets: readonly string[]): readonly (readonly boolean[])[] =>
    programs.map(([verify, program]) => verify(program, message, secrets));
  const [tested = assert.fail('expected a test message')] = arrived;
  assert.deepEqual(isGenuine(tested, [first, 'whsec_AAAA']), [
    [true, false],
    [true, false],
  ]);
  assert.ok(!(await page.content()).includes(first));

  await page.locator('[aria-haspopup][aria-label="Actions of the webhook"]').click();
  await page.getByRole('menuitem', { name: 'Rotate the secret' }).click();
  await page.getByRole('button', { name: 'Rotate', exact: true }).click();
  const second = await takeSecret();
  await page.getByText('signs as well').waitFor();
  await page.getByRole('button', { name: 'Replay' }).first().click();
  await page.getByRole('row').filter({ hasText: 'webhook.test' }).filter({ hasText: 'delivered' }).nth(1).waitFor();
  const again = arrived.at(-1) ?? assert.fail();
  assert.notEqual(again.headers['webhook-id'], tested.headers['webhook-id']);
  assert.deepEqual(isGenuine(again, [first, second]), [
    [true, true],
    [true, true],
  ]);
  const changed = { ...again, body: again.body.replace('webhook.test', 'run.completed') };
  assert.deepEqual(isGenuine(changed, [first, second]), [
    [false, false],
    [false, false],
  ]);
});

test('a user asks for a plan, an owner grants it, and the open page of the user shows it', { skip }, async () => {
  await dashboard().register(member);
  await (await sessionOf(dashboard(), member)).plans.change('developer');
  const theirs = await dashboard().open('/plan', { as: member });
  await theirs.getByRole('heading', { level: 1 }).waitFor();
  const owners = await dashboard().open('/admin/plans', { as: OWNER });
  const request = owners.getByRole('row').filter({ hasText: member.username });
  await request.getByText('Developer').waitFor();
  await request.getByRole('button', { name: 'Grant' }).click();
  await owners.getByText('No user waits for another plan.').waitFor();
  await theirs.getByText('You are on the plan Developer now.').first().waitFor();
  const { items } = await dashboard().api.admin.auditLog({ action: 'user.plan' });
  assert.deepEqual(items[0]?.details, { plan_id: 'developer' });
});

test('maintenance: new runs get the sentence of the owner, other pages show it, and it ends', { skip }, async () => {
  const run = () => dashboard().api.runPipeline(GPTJ_PIPELINE_ID, ['Once', { response_length: 2 }]);
  const page = await dashboard().open('/admin', { as: OWNER });
  await page.getByRole('button', { name: 'Refuse new runs' }).click();
  await page.getByRole('textbox', { name: 'Sentence for those who send runs' }).fill('New disks until noon.');
  await page.getByRole('dialog').getByRole('button', { name: 'Refuse new runs' }).click();
  await page.getByText('new runs are refused').first().waitFor();
  // Not by the client of the API, which would wait and try again.
  const refused = await fetch(`${dashboard().url}/v2/runs`, {
    method: 'POST',
    headers: { authorization: 'Bearer dashboard-token-0123456789', 'content-type': 'application/json' },
    body: JSON.stringify({ pipeline_id: GPTJ_PIPELINE_ID, data: ['Once', { response_length: 2 }] }),
  });
  const { detail } = (await refused.json()) as { readonly detail: { readonly code: string; readonly message: string } };
  assert.deepEqual([refused.status, detail.code, detail.message], [503, 'maintenance', 'New disks until noon.']);
  const other = await dashboard().open('/runs', { as: OWNER });
  await other.getByText('New runs are refused for now: New disks until noon.').waitFor();
  await page.getByRole('button', { name: 'Accept runs again' }).click();
  await page.getByText('runs are accepted').first().waitFor();
  assert.equal((await run()).runState, 'complete');
});

test('the pages of the server are for its owners: others are shown who can help, and nothing is asked for', {
  skip,
}, async () => {
  const other = { email: 'mary@example.com', username: 'mary', password: member.password };
  await dashboard().register(other);
  const context = await dashboard().context({ as: other });
  const page = await context.newPage();
  const asked: string[] = [];
  page.on('request', (request) => asked.push(new URL(request.url()).pathname));
  for (const path of [
    '/admin',
    '/admin/users',
    '/admin/queue',
    '/admin/plans',
    '/admin/models',
    '/admin/audit',
    '/admin/server',
  ]) {
    await page.goto(dashboard().url + path);
    await page.getByRole('heading', { name: 'For owners of the server' }).waitFor();
  }
  assert.deepEqual(
    asked.filter((path) => path.startsWith('/v2/admin') || path === '/v2/users' || path === '/v2/audit-log'),
    [],
  );
});
