import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type GenerateConfig, readGenerateParameters } from '@gptj-cloud/decoding';
import { createConfigPacker, createConfigUnpacker, type PackedConfig } from './large-values.ts';

const biases = (count: number, from = 0): Record<string, unknown> => ({
  sequence_bias: Array.from({ length: count }, (_, at) => [[from + at], 1]),
});
const configs = (parameters: Record<string, unknown>): ((promptLength: number) => GenerateConfig) => {
  const read = readGenerateParameters(parameters, { vocabSize: 50_400, contextLength: 2048, eosTokenId: 50_256 });
  return (promptLength) => read(promptLength).config;
};

/** A packer and an unpacker, with the messages between them. */
function channel() {
  const packer = createConfigPacker();
  const unpacker = createConfigUnpacker();
  const sent: PackedConfig[] = [];
  return {
    sent,
    send(config: GenerateConfig): GenerateConfig {
      const packed = packer.pack(config);
      sent.push(packed);
      return unpacker.unpack(structuredClone(packed));
    },
  };
}

test('a large value is sent with the first of the configurations that share it', () => {
  const { send, sent } = channel();
  const configFor = configs({ ...biases(1000), max_new_tokens: 4, bad_words_ids: [[5], [6]] });
  const received = [3, 4, 5].map((length) => send(configFor(length)));
  assert.deepEqual(received, [3, 4, 5].map(configFor));
  assert.deepEqual(
    sent.map(({ added }) => added.length),
    [1, 0, 0],
  );
  assert.equal(received[1]?.sequenceBias, received[0]?.sequenceBias);
  assert.equal(Object.hasOwn(sent[0]!.config!, 'sequenceBias'), false, 'it is sent by its id alone');
  assert.deepEqual(sent[0]?.config?.badWordsIds, configFor(3).badWordsIds);
});

test('large values of custom processors are sent once as well', () => {
  const { send, sent } = channel();
  const type = 'sequence_bias';
  const configFor = configs({ logits_processor: [{ type, value: biases(1000)[type] }], max_new_tokens: 4 });
  for (const length of [3, 4]) assert.deepEqual(send(configFor(length)), configFor(length));
  assert.deepEqual(
    sent.map(({ added }) => added.length),
    [1, 0],
  );
});

test('configurations without large values are sent as they are, and are not changed', () => {
  const { send, sent } = channel();
  for (const parameters of [{}, { ...biases(20), stop_strings: ['a', 'b'] }]) {
    const config = configs(parameters)(3);
    assert.deepEqual(send(config), config);
  }
  assert.deepEqual(
    sent.flatMap(({ large, added }) => [...large, ...added]),
    [],
  );
});

test('values that have not been used for long are forgotten on both sides, and sent again when they are', () => {
  const { send, sent } = channel();
  const first = configs(biases(4000))(3);
  const others = Array.from({ length: 20 }, (_, at) => configs(biases(4000, at + 1))(3));
  assert.deepEqual(send(first), first);
  for (const other of others) {
    assert.deepEqual(send(other), other);
    assert.deepEqual(send(first), first);
  }
  const known = new Set<number>();
  for (const { added, forgotten } of sent) {
    for (const [id] of added) known.add(id);
    for (const id of forgotten) known.delete(id);
    assert.ok(known.size < 15, 'the table is bounded');
  }
  assert.equal(sent.filter(({ added }) => added[0]?.[0] === sent[0]?.added[0]?.[0]).length, 1, 'one in use stays');
  assert.deepEqual(send(others[0]!), others[0]);
  assert.equal(sent.at(-1)?.added.length, 1);
});

test('a configuration of many prompts is sent twice, then by its id alone', () => {
  const { send, sent } = channel();
  const config = configs({ ...biases(1000), max_new_tokens: 4 })(3);
  const received = Array.from({ length: 50 }, () => send(config));
  for (const one of received) assert.deepEqual(one, config);
  assert.equal(sent.filter((packed) => packed.config !== null).length, 2);
  assert.equal(new Set(received).size, 2, 'the receiver shares it as well');
});

test('a kept configuration that has not been used for long is forgotten on both sides', () => {
  const { send, sent } = channel();
  const first = configs(biases(4000))(3);
  for (let times = 0; times < 3; times++) send(first);
  for (let at = 0; at < 40; at++) send(configs(biases(4000, at + 1))(3));
  assert.deepEqual(send(first), first);
  assert.notEqual(sent.at(-1)?.config, null, 'it is sent again');
});
