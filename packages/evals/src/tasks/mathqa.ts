// MathQA (Amini et al., 2019): which of five options is the result.
import { choiceDocument } from './documents.ts';
import { invalidField, namedIndexField, textField } from './fields.ts';
import type { Task } from './task.ts';

/**
 * The options of one text, `a ) 38 , b ) 27.675 , …`; 75 documents have it as the text of a list, `['a ) 3 : 2', …`. This is
 * `[c[4:].rstrip(" ,") for c in re.findall(r"[abcd] \) .*?, |e \) .*?$", options)]` in one pass.
 */
function splitOptions(options: string): readonly string[] {
  const choices: string[] = [];
  for (let at = 0; at < options.length; at++) {
    if (!options.startsWith(' ) ', at + 1)) continue;
    const comma = 'abcd'.includes(options[at]!) ? options.indexOf(', ', at + 4) : -1;
    const end = options[at] === 'e' ? options.length : comma;
    if (end < 0) continue;
    choices.push(withoutSeparators(options.slice(at + 4, end)));
    at = end;
  }
  return choices;
}

function withoutSeparators(text: string): string {
  let end = text.length;
  while (end > 0 && (text[end - 1] === ' ' || text[end - 1] === ',')) end--;
  return text.slice(0, end);
}

/** Longer than any of the set: a search for a comma reads the rest of the text. */
const MAX_OPTIONS_LENGTH = 4096;

export const mathqa: Task = {
  name: 'mathqa',
  title: 'MathQA',
  version: 1,
  kind: 'multiple-choice',
  metrics: ['acc', 'acc_norm'],
  chance: 0.2,
  data: {
    file: 'mathqa_test.jsonl',
    sha256: '5ac005ad116043739fd5f2113ea1a604266e44d71ba4a1645d2434982536287e',
    documents: 2985,
    requests: 14_925,
    licence: 'Apache-2.0',
    source: 'https://math-qa.github.io, test set',
  },
  requestHashes: {
    harness: '7651cb674e98008880ed422ff6d65c22cefef7183ac5a6c39dc89d3a34a5ff75',
    published: '650720eb08bca98dd2c1d4b10d71a4e59b4a6cdd1208801a433aa11e6014b67e',
  },
  leavesOutDocument: { own: true, other: false },
  read(fields) {
    const options = textField(fields, 'options');
    const choices = options.length > MAX_OPTIONS_LENGTH ? [] : splitOptions(options);
    if (choices.length !== 5) throw invalidField('options', 'five options, a to e', options);
    const context = `Question: ${textField(fields, 'Problem')}\nAnswer:`;
    const gold = namedIndexField(fields, 'correct', ['a', 'b', 'c', 'd', 'e']);
    return choiceDocument(fields, { context, choices, gold });
  },
};
