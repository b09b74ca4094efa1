import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApiError } from '@gptj-cloud/protocol';
import { createLogger } from '../telemetry/logger.ts';
import { postSignedOut, registerUser } from '../testing/browser.ts';
import { openTestApp } from '../testing/test-app.ts';
import { createAfterReply } from './after-reply.ts';

function open() {
  const lines: string[] = [];
  const afterReply = createAfterReply(
    createLogger(
      (line) => lines.push(line),
      () => new Date(0),
    ),
  );
  return { afterReply, lines };
}

test('resolves before the work begins, does one work at a time, and the rest at once when it is closed', async () => {
  const { afterReply } = open();
  const steps: string[] = [];
  for (const name of ['one', 'two']) {
    await afterReply.add(async () => {
      steps.push(`${name} begins`);
      await new Promise<void>((resolve) => setImmediate(resolve));
      steps.push(`${name} ends`);
    });
  }
  assert.deepEqual(steps, []);
  await afterReply.close();
  assert.deepEqual(steps, ['one begins', 'one ends', 'two begins', 'two ends']);
});

test('begins work after a random delay', async () => {
  const delays: number[] = [];
  const logger = createLogger(
    () => undefined,
    () => new Date(0),
  );
  const afterReply = createAfterReply(logger, () => delays.push(0));
  let done = 0;
  const all = new Promise<void>((resolve) => {
    const work = async (): Promise<void> => {
      if (++done === 3) resolve();
    };
    for (let i = 0; i < 3; i++) void afterReply.add(work);
  });
  await all;
  assert.equal(delays.length, 3);
  await afterReply.close();
});

test('logs work that fails, and goes on', async () => {
  const { afterReply, lines } = open();
  let done = false;
  await afterReply.add(() => Promise.reject(new Error('no such mailbox')));
  await afterReply.add(async () => {
    done = true;
  });
  await afterReply.close();
  assert.equal(done, true);
  assert.match(lines.join(''), /work after a reply failed.*no such mailbox/);
});

test('refuses work beyond a bound', async () => {
  const { afterReply } = open();
  for (let i = 0; i < 500; i++) await afterReply.add(async () => undefined);
  const isBusy = (error: unknown): boolean => error instanceof ApiError && error.code === 'server_busy';
  await assert.rejects(
    afterReply.add(async () => undefined),
    isBusy,
  );
  await afterReply.close();
  await afterReply.add(async () => undefined);
});

test('a request for a reset reads no account before its reply', async () => {
  const works: (() => Promise<void>)[] = [];
  const it = await openTestApp({
    afterReply: { add: async (work) => void works.push(work), close: async () => undefined },
  });
  try {
    await registerUser(it, 'percy');
    const before = it.mails.length;
    const reply = await postSignedOut(it, '/v2/auth/forgot-password', { email: 'percy@example.com' });
    assert.deepEqual([reply.status, works.length, it.mails.length], [202, 1, before]);
    await works[0]?.();
    assert.equal(it.mails.length, before + 1);
  } finally {
    await it.close();
  }
});
