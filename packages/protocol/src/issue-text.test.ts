import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { z } from 'zod';
import { issueText } from './issue-text.ts';
import { runCreateSchema } from './runs.ts';
import { tokenCreateSchema } from './tokens.ts';
import { loginSchema, registerSchema } from './users.ts';
import { webhookCreateSchema } from './webhooks.ts';

const texts = (schema: z.ZodType, input: unknown): readonly string[] =>
  schema.safeParse(input, { error: issueText }).error?.issues.map(({ message }) => message) ?? [];

test('issues of a schema become messages of the form expected …, got …', () => {
  const run = { pipeline_id: 'p', data: [] };
  const cases: readonly (readonly [z.ZodType, unknown, string])[] = [
    [runCreateSchema, { pipeline_id: 7, data: [] }, 'expected a string, got a number'],
    [runCreateSchema, { ...run, stream: 'yes' }, 'expected true or false, got a string'],
    [runCreateSchema, { ...run, compute_requirements: [] }, 'expected an object, got an array'],
    [runCreateSchema, { ...run, compute_requirements: { min_gpu_vram_mb: 1.5 } }, 'expected an integer, got 1.5'],
    [runCreateSchema, { ...run, compute_requirements: { min_gpu_vram_mb: -1 } }, 'expected at least 0, got -1'],
    [runCreateSchema, { ...run, compute_type: 'tpu' }, 'expected one of cpu, gpu, got "tpu"'],
    [tokenCreateSchema, { scopes: [] }, 'expected at least 1 entry, got 0'],
    [tokenCreateSchema, { scopes: ['rum'] }, 'expected one of run, read, write, admin, got "rum"'],
    [tokenCreateSchema, { nam: 'x' }, 'expected only the fields name, type, scopes, expires_at, got "nam"'],
    [webhookCreateSchema, { url: 'x'.repeat(3000) }, 'expected at most 2048 characters, got 3000'],
    [loginSchema, { login: 'a' }, 'expected a string, got nothing'],
  ];
  for (const [schema, input, text] of cases) assert.deepEqual(texts(schema, input), [text]);
});

test('refuses a time without a zone, or that is no time, with an example', () => {
  for (const moment of ['2026-12-01', '2026-12-01T00:00:00', 'soon']) {
    assert.match(texts(tokenCreateSchema, { expires_at: moment }).join(), /with a zone like 2026-12-01T00:00:00Z/);
  }
  assert.deepEqual(texts(tokenCreateSchema, { expires_at: '2026-12-01T00:00:00Z' }), []);
  assert.match(texts(tokenCreateSchema, { expires_at: true }).join(), /^expected epoch seconds or ISO 8601/);
});

test('keeps the messages of a schema and does not repeat passwords', () => {
  const body = { email: 'a@b.c', username: 'x', password: 'hunter2' };
  const said = texts(registerSchema, body).join('; ');
  assert.match(said, /expected 3 to 24 letters/);
  assert.match(said, /expected at least 8 characters/);
  const misplaced = texts(loginSchema, { login: ['hunter2'], password: { hunter2: 1 } });
  assert.deepEqual(misplaced, ['expected a string, got an array', 'expected a string, got an object']);
  assert.doesNotMatch([said, ...misplaced].join(), /hunter2/);
});
