import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Interfaces, nodeUrl } from './node-url.ts';

const INTERFACES: Interfaces = {
  lo: [{ address: '127.0.0.1', family: 'IPv4', internal: true }],
  eth0: [
    { address: 'fe80::1', family: 'IPv6', internal: false },
    { address: '2001:db8::7', family: 'IPv6', internal: false },
    { address: '10.1.2.3', family: 'IPv4', internal: false },
  ],
};

test('a server that listens on one address is reached there', () => {
  assert.equal(nodeUrl({ host: '192.0.2.4', port: 8080 }, INTERFACES), 'http://192.0.2.4:8080');
  assert.equal(nodeUrl({ host: '::1', port: 80 }, INTERFACES), 'http://[::1]:80');
});

test('a server that listens on every address is reached at its first one in a network, IPv4 before IPv6', () => {
  assert.equal(nodeUrl({ host: '0.0.0.0', port: 8080 }, INTERFACES), 'http://10.1.2.3:8080');
  const { eth0 = [] } = INTERFACES;
  assert.equal(nodeUrl({ host: '::', port: 8080 }, { eth0: eth0.slice(0, 2) }), 'http://[2001:db8::7]:8080');
  assert.equal(nodeUrl({ host: '::', port: 8080 }, { lo: INTERFACES.lo }), 'http://127.0.0.1:8080');
});
