// PIQA (Bisk et al., 2019): which of two ways reaches a goal.
import { choiceDocument } from './documents.ts';
import { indexField, textField } from './fields.ts';
import type { Task } from './task.ts';

export const piqa: Task = {
  name: 'piqa',
  title: 'PIQA',
  version: 1,
  kind: 'multiple-choice',
  metrics: ['acc', 'acc_norm'],
  chance: 0.5,
  data: {
    file: 'piqa_validation.jsonl',
    sha256: '61533005e22f175534909b1ec8eacb6da03c233933558d1bafb15787453b1f55',
    documents: 1838,
    requests: 3676,
    licence: 'AFL-3.0',
    source: 'https://github.com/ybisk/ybisk.github.io/tree/master/piqa, validation set',
  },
  requestHashes: {
    harness: '5a782cd449aa875a7f837e15268fac2d27005e1d030c5124e3bec88cdb8a5977',
    published: 'efc3cfc93a4dca5cccb898b2454340396e1783a523ece667219f40d6b771408b',
  },
  leavesOutDocument: { own: true, other: true },
  read: (fields) =>
    choiceDocument(fields, {
      context: `Question: ${textField(fields, 'goal')}\nAnswer:`,
      choices: [textField(fields, 'sol1'), textField(fields, 'sol2')],
      gold: indexField(fields, 'label', 2),
    }),
};
