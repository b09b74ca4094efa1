// PubMedQA (Jin et al., 2019): does an abstract answer a question with yes, no or maybe? The published table has all 1,000
// labelled documents; today's harness has the 500 of the test set.
import { choiceDocument } from './documents.ts';
import { namedIndexField, textField, textsField } from './fields.ts';
import type { Task } from './task.ts';

const ANSWERS = ['yes', 'no', 'maybe'];

export const pubmedqa: Task = {
  name: 'pubmedqa',
  title: 'PubMedQA',
  version: 0,
  kind: 'multiple-choice',
  metrics: ['acc'],
  chance: 1 / 3,
  data: {
    file: 'pubmedqa_all1000.jsonl',
    sha256: '96b43a7dab2777eff9948f119c88fc395fe4cbcac53cf4cd67703769c29ae19c',
    documents: 1000,
    requests: 3000,
    licence: 'MIT',
    source: 'https://github.com/pubmedqa/pubmedqa, ori_pqal.json',
  },
  requestHashes: {
    harness: '9940554d9477e3a4b4ded1e08e91de093b15a449e45c29a153a239393124d679',
    published: '57b5917aac2cec0898d626cdf69c6b602fd5806eaa74235505024a6ff1b0ab1d',
  },
  targetIsText: true,
  leavesOutDocument: { own: true, other: false },
  read: (fields) =>
    choiceDocument(fields, {
      context: `Abstract: ${textsField(fields, 'CONTEXTS').join('\n')}\nQuestion: ${textField(fields, 'QUESTION')}\nAnswer:`,
      choices: ANSWERS,
      gold: namedIndexField(fields, 'final_decision', ANSWERS),
    }),
};
