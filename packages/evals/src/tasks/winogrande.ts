// WinoGrande (Sakaguchi et al., 2019), scored by partial evaluation (Trinh and Le, 2018): the sentence up to the blank with
// either option is the context, the rest of the sentence is the continuation. Lengths are equal, so there is no acc_norm.
import { strip } from '../python/python-strip.ts';
import { invalidField, namedIndexField, textField } from './fields.ts';
import type { Task } from './task.ts';

export const winogrande: Task = {
  name: 'winogrande',
  title: 'Winogrande',
  version: 1,
  kind: 'multiple-context',
  metrics: ['acc'],
  chance: 0.5,
  data: {
    file: 'winogrande_xl_validation.jsonl',
    sha256: '69f3d7f3a900d775339b04c7de672609c40fca573e50f594f2ae66d8782505be',
    documents: 1267,
    requests: 2534,
    licence: 'CC-BY',
    source: 'https://github.com/allenai/winogrande, validation set of winogrande_xl',
  },
  requestHashes: {
    harness: '2cc3cecbcee61b541a4e75ca0e270c190016b847772717936d51154c5100f834',
    published: 'f9294f516a26f73e3a4f9d650acd441e9a2e39eea74f6230985b5cf47b27e5a7',
  },
  leavesOutDocument: { own: true, other: true },
  read(fields) {
    const sentence = textField(fields, 'sentence');
    const blank = sentence.indexOf('_');
    if (blank < 0) throw invalidField('sentence', 'a blank, written as _', sentence);
    const options = [textField(fields, 'option1'), textField(fields, 'option2')];
    const continuation = ` ${strip(sentence.slice(blank + 1))}`;
    const requests = options.map((option) => ({ context: sentence.slice(0, blank) + option, continuation }));
    const gold = namedIndexField(fields, 'answer', ['1', '2']);
    const choices = requests.map(({ context }) => context);
    return { fields, requests, choices, gold, example: `${choices[gold]}${continuation}` };
  },
};
