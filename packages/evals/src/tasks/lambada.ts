// LAMBADA (Paperno et al., 2016): the last word of a passage. Greedy match and perplexity of that word.
import { lastWordDocument } from './documents.ts';
import { textField } from './fields.ts';
import type { Task } from './task.ts';

const SHARED = {
  version: 1,
  kind: 'log-likelihood',
  metrics: ['perplexity', 'acc'],
  chance: 0,
  read: (fields) => lastWordDocument(fields, textField(fields, 'text')),
} as const satisfies Partial<Task>;

/** The text that OpenAI prepared for GPT-2: case, quotes and line breaks as in the books. */
export const lambadaOpenai: Task = {
  ...SHARED,
  name: 'lambada_openai',
  // The harness declares no other split, so a document can be its own example.
  leavesOutDocument: { own: false, other: false },
  title: 'LAMBADA',
  data: {
    file: 'lambada_test.jsonl',
    sha256: '4aa8d02cd17c719165fc8a7887fddd641f43fcafa4b1c806ca8abc31fabdb226',
    documents: 5153,
    requests: 5153,
    licence: 'Modified MIT, as the publisher of this form states; the set itself is CC-BY-4.0',
    source: 'https://openaipublic.blob.core.windows.net/gpt-2/data/lambada_test.jsonl',
  },
  requestHashes: {
    harness: '2b24fc3bf1b68cdcb6b69ef6ba562d70592b1d2ff83181ba567e9a5ceab37234',
    published: '787e683043d8a05932951efd80858067ba624f3eda3b4b67472fb2da66b3c921',
  },
};

/** The text of the original set: lower case, tokens apart. */
export const lambadaStandard: Task = {
  ...SHARED,
  name: 'lambada_standard',
  leavesOutDocument: { own: true, other: false },
  title: 'LAMBADA (original text)',
  data: {
    file: 'lambada_standard_test.jsonl',
    sha256: 'a89e1cbab6295c10e8b5dc7231a30d75a9adacce971a39568e8adb5e7b91ff5b',
    documents: 5153,
    requests: 5153,
    licence: 'CC-BY-4.0',
    source: 'https://zenodo.org/records/2630551',
  },
  requestHashes: {
    harness: 'c5d08a2869afe4ef78e1e243312402207363952bf78ba217ab2155ebd4013ce5',
    published: '9f4ab7a86d7fee28c70f52c3906b3701e6df1462239415b0c7afd073d3e8d6b3',
  },
};
