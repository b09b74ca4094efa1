import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BeamCandidate } from '@gptj-cloud/sdk';
import { layOut, neighbour } from './beam-layout.ts';
import { type BeamSource, beamTree, pathTo, sourceOfResult } from './beam-tree.ts';

const candidate = (parent: number, text: string, score: number, kept = true): BeamCandidate => ({
  parent,
  token: text.charCodeAt(0),
  text,
  score,
  kept,
});
const sequence = (text: string, score: number) => ({
  tokens: [...text].map((label) => ({ id: label.charCodeAt(0), label })),
  score,
  finish: 'length',
});

/** a, b → ac, bd, ad dropped → ace, acf, bdg dropped. */
const SOURCE: BeamSource = {
  steps: [
    [candidate(0, 'a', -1), candidate(0, 'b', -2), candidate(0, 'x', -3, false)],
    [candidate(0, 'c', -1.5), candidate(1, 'd', -2.5), candidate(0, 'd', -4, false)],
    [candidate(0, 'e', -2, false), candidate(0, 'f', -2.2, false), candidate(1, 'g', -9, false)],
  ],
  returned: [sequence('ace', -0.6), sequence('acf', -0.7)],
};

test('the tree has every considered token once, below the beam that it continues', () => {
  const tree = beamTree(SOURCE);
  const texts = tree.nodes.slice(1).map((node) => [
    pathTo(tree, node)
      .map(({ label }) => label)
      .join(''),
    node.isKept,
  ]);
  assert.deepEqual(texts, [
    ['a', true],
    ['b', true],
    ['x', false],
    ['ac', true],
    ['bd', true],
    ['ad', false],
    ['ace', true],
    ['acf', true],
    ['bdg', false],
  ]);
  assert.deepEqual(
    tree.nodes.filter(({ returned }) => returned !== null).map(({ label, returned }) => [label, returned]),
    [
      ['e', 0],
      ['f', 1],
    ],
  );
});

test('without a trace the tree is that of the returned sequences', () => {
  const tree = beamTree({ ...SOURCE, steps: [] });
  assert.deepEqual(
    tree.nodes.map(({ label }) => label),
    ['', 'a', 'c', 'e', 'f'],
  );
  const { rows, columns, placed } = layOut(tree, false);
  assert.deepEqual([rows, columns], [2, 3]);
  assert.deepEqual(
    placed.map(({ node, row }) => [node.label, row]),
    [
      ['a', 0],
      ['c', 0],
      ['e', 0],
      ['f', 1],
    ],
  );
});

test('while a search goes on, the beams of its newest step are alive', () => {
  const tree = beamTree({ steps: SOURCE.steps.slice(0, 2), returned: [] });
  assert.deepEqual(
    tree.nodes.filter(({ isAlive }) => isAlive).map(({ label }) => label),
    ['', 'a', 'b', 'c', 'd'],
  );
});

test('copies of the prompt keep the rows of the next step in their order', () => {
  const steps = [
    [candidate(0, 'a', -1), { ...candidate(1, 'a', -1e9) }],
    [candidate(0, 'b', -2), candidate(1, 'c', -1e9 - 1)],
  ];
  const tree = beamTree({ steps, returned: [] });
  assert.deepEqual(
    tree.nodes.map(({ label }) => label),
    ['', 'a', 'b'],
  );
});

test('arrow keys walk along a path and between the paths of a step', () => {
  const layout = layOut(beamTree(SOURCE), true);
  const at = (label: string, row: number) =>
    layout.placed.find((place) => place.node.label === label && place.row === row) ?? assert.fail(label);
  const e = at('e', 0);
  assert.equal(neighbour(layout, e, 'left').node.label, 'c');
  assert.equal(neighbour(layout, neighbour(layout, e, 'left'), 'right'), e);
  assert.equal(neighbour(layout, e, 'down').node.label, 'f');
  assert.equal(neighbour(layout, e, 'up'), e);
  assert.equal(neighbour(layout, e, 'right'), e);
});

test('reads the search of a result, and nothing from a result of texts', () => {
  const report = (token: number, text: string) => ({ token, text, logprob: -1, top: [] });
  const beams = [[{ parent: 0, token: 5, text: 'a', score: null, kept: true }]];
  const result = {
    texts: ['ab'],
    logprobs: [[report(5, 'a'), report(6, 'b')]],
    sequences_scores: [-0.5],
    finish_reasons: ['eos'],
    beams,
  };
  const source = sourceOfResult([result]);
  assert.deepEqual(source?.returned, [
    {
      tokens: [
        { id: 5, label: 'a' },
        { id: 6, label: 'b' },
      ],
      score: -0.5,
      finish: 'eos',
    },
  ]);
  assert.deepEqual(source?.steps, beams);
  assert.equal(sourceOfResult([['ab']]), null);
  assert.equal(sourceOfResult(null), null);
});
