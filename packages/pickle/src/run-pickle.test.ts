import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  decodeHex,
  PickleError,
  PickleObject,
  type PicklePolicy,
  PickleTuple,
  type PickleValue,
  runPickle,
} from './index.ts';

/**
 * Python 3.11, torch 2.13.0, the `data.pkl` (protocol 2) of
 * torch.save(OrderedDict(w=torch.zeros(2, 3), p=torch.nn.Parameter(torch.zeros(1)), n={1: 2.5, None: True}), path).
 */
const STATE_DICT =
  '800263636f6c6c656374696f6e730a4f726465726564446963740a71002952710128580100000077710263746f7263682e5f7574696c73' +
  '0a5f72656275696c645f74656e736f725f76320a71032828580700000073746f72616765710463746f7263680a466c6f617453746f7261' +
  '67650a71055801000000307106580300000063707571074b06747108514b004b024b038671094b034b0186710a8968002952710b74710c' +
  '52710d580100000070710e63746f7263682e5f7574696c730a5f72656275696c645f706172616d657465720a710f680328286804680558' +
  '0100000031711068074b01747111514b004b018571124b0185711389680029527114747115527116886800295271178771185271195801' +
  '0000006e711a7d711b284b014740040000000000004e8875752e';

type Token =
  | { readonly kind: 'global'; readonly name: string }
  | { readonly kind: 'storage'; readonly key: string; readonly type: string }
  | { readonly kind: 'tensor'; readonly storage: string; readonly size: readonly bigint[] };

const KNOWN = new Set([
  'collections.OrderedDict',
  'torch._utils._rebuild_tensor_v2',
  'torch._utils._rebuild_parameter',
  'torch.FloatStorage',
]);

const policy: PicklePolicy<Token> = {
  keys: 'primitive',
  global: (module, name) =>
    KNOWN.has(`${module}.${name}`) ? new PickleObject<Token>({ kind: 'global', name }) : undefined,
  persistentLoad: (id) => {
    const [tag, type, key] = id instanceof PickleTuple ? id.items : [];
    if (tag !== 'storage' || !(type instanceof PickleObject) || type.value.kind !== 'global') return undefined;
    if (typeof key !== 'string') return undefined;
    return new PickleObject<Token>({ kind: 'storage', key, type: type.value.name });
  },
  reduce: (callable, args) => {
    if (callable.value.kind !== 'global') return undefined;
    const [first, , size] = args;
    switch (callable.value.name) {
      case 'OrderedDict':
        return new Map();
      case '_rebuild_parameter':
        return first;
      case '_rebuild_tensor_v2':
        if (!(first instanceof PickleObject) || first.value.kind !== 'storage' || !(size instanceof PickleTuple))
          return undefined;
        return new PickleObject<Token>({
          kind: 'tensor',
          storage: first.value.key,
          size: size.items.filter((item) => typeof item === 'bigint'),
        });
      default:
        return undefined;
    }
  },
  build: (target) => target,
};

test('a policy reads a PyTorch state dict', () => {
  const value: PickleValue<Token> = runPickle(decodeHex(STATE_DICT), policy);
  assert.deepEqual(
    value,
    new Map<string, unknown>([
      ['w', new PickleObject({ kind: 'tensor', storage: '0', size: [2n, 3n] })],
      ['p', new PickleObject({ kind: 'tensor', storage: '1', size: [1n] })],
      [
        'n',
        new Map<unknown, unknown>([
          [1n, 2.5],
          [null, true],
        ]),
      ],
    ]),
  );
});

test('a class the policy does not know is refused by name', () => {
  assert.throws(
    () => runPickle(decodeHex('800263706f7369780a73797374656d0a2e'), policy),
    (error: unknown) =>
      error instanceof PickleError && error.code === 'forbidden_global' && error.message.includes('"posix.system"'),
  );
});

test('refuses a call for which the policy returns undefined', () => {
  assert.throws(
    () => runPickle(decodeHex('800263746f7263680a466c6f617453746f726167650a29522e'), policy),
    (error: unknown) => error instanceof PickleError && error.code === 'forbidden_call',
  );
});

test('without hooks, refuses every opcode that would create an object', () => {
  for (const hex of ['80024e51 2e', '8002 4e 4e 62 2e', '8002 63610a620a 29 81 2e']) {
    assert.throws(() => runPickle(decodeHex(hex.replaceAll(' ', '')), { keys: 'primitive' }), PickleError);
  }
});

test('an exception of a hook propagates to the caller unchanged', () => {
  const own = new RangeError('not this storage');
  const throwing: PicklePolicy = {
    keys: 'primitive',
    persistentLoad: () => {
      throw own;
    },
  };
  assert.throws(() => runPickle(decodeHex('80024b01512e'), throwing), own);
});

test('with primitive keys, accepts every key but containers and objects', () => {
  const primitive: PicklePolicy = { keys: 'primitive' };
  assert.deepEqual(
    runPickle(decodeHex('80027d284b014e4e4e884e4740040000000000004e5800000000 4e752e'.replaceAll(' ', '')), primitive),
    new Map<unknown, unknown>([
      [1n, null],
      [null, null],
      [true, null],
      [2.5, null],
      ['', null],
    ]),
  );
  assert.throws(
    () => runPickle(decodeHex('80027d294e732e'), primitive),
    (error: unknown) => error instanceof PickleError && error.code === 'key_not_primitive',
  );
});

test('refuses an object that contains itself through a list', () => {
  // OrderedDict(), memo 0, d['a'] = [d]
  const hex = '800263636f6c6c656374696f6e730a4f726465726564446963740a295271005801000000615d680061732e';
  assert.throws(
    () => runPickle(decodeHex(hex), policy),
    (error: unknown) => error instanceof PickleError && error.code === 'cycle',
  );
});
