import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeExposure, type Exposure } from './exposure.ts';

const OPEN: Exposure = { host: '0.0.0.0', registration: 'open', publicUrl: null, trustedProxies: [] };
const about = (change: Partial<Exposure>): readonly string[] =>
  describeExposure({ ...OPEN, ...change }).map((line) => (line.includes('REGISTRATION is') ? 'registration' : 'tls'));

test('warns of open registration and missing TLS when other machines reach the server', () => {
  assert.deepEqual(about({}), ['registration', 'tls']);
  assert.deepEqual(about({ host: '192.168.1.5', registration: 'invited' }), ['tls']);
  assert.deepEqual(about({ trustedProxies: ['10.0.0.1'] }), ['registration']);
  assert.deepEqual(about({ publicUrl: 'https://gptj.example.org', registration: 'closed' }), []);
  assert.deepEqual(about({ publicUrl: 'http://gptj.example.org' }), ['registration', 'tls']);
});

test('says nothing about a server on this machine alone', () => {
  for (const host of ['127.0.0.1', '127.0.0.5', '::1', 'localhost']) assert.deepEqual(about({ host }), []);
});
