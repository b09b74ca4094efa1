// HellaSwag (Zellers et al., 2019): which of four sentences goes on. Choices keep their own leading spaces.
import { choiceDocument } from './documents.ts';
import { indexField, textField, textsField } from './fields.ts';
import type { Task } from './task.ts';

export const hellaswag: Task = {
  name: 'hellaswag',
  title: 'HellaSwag',
  version: 1,
  kind: 'multiple-choice',
  metrics: ['acc', 'acc_norm'],
  chance: 0.25,
  data: {
    file: 'hellaswag_val_lmeval.jsonl',
    sha256: 'b5ef64540c1378a5ef1cb276da77bdce90607a00b0529b5ba373eca3c374a763',
    documents: 10_042,
    requests: 40_168,
    licence: 'MIT',
    source: 'https://github.com/rowanz/hellaswag, validation set after the preprocessing of lm-evaluation-harness',
  },
  requestHashes: {
    harness: '61c897e8f259419a1bfceedf3cb7b9095813a744589f93f8d1be5d813f2f48b0',
    published: 'bf9ac2ac384645e8744b95d7907341db30607dbfc92361df5afb78266b4b84a7',
  },
  leavesOutDocument: { own: true, other: true },
  read(fields) {
    const choices = textsField(fields, 'choices');
    const gold = indexField(fields, 'label', choices.length);
    return choiceDocument(fields, { context: textField(fields, 'query'), choices, gold });
  },
};
