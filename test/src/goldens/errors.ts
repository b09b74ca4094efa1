// errors.json: parameter validation: accepted, accepted without effect, or rejected with a message.
import { ParameterError } from '@gptj-cloud/decoding';
import { decodeCase, isExpected } from './decode.ts';
import { type Fields, toFields } from './golden-json.ts';
import type { GoldenResult } from './golden-runner.ts';

/** The outcome of every case; where sequences are given, the tokens too. */
export function* runErrors(text: string): Generator<GoldenResult> {
  const file = toFields(JSON.parse(text), 'the file');
  if (file.text('format') !== 'errors/1') throw new Error(`expected format errors/1, got ${file.text('format')}`);
  const setting = file.object('common');
  for (const entry of file.list('cases')) {
    const one = toFields(entry, 'a case');
    const name = one.text('name');
    const wrong = runCase(one, setting);
    yield wrong === null ? { name, passed: true } : { name, passed: false, ...wrong };
  }
}

function runCase(one: Fields, setting: Fields): { readonly expected: string; readonly got: string } | null {
  const params = one.object('params').value;
  const outcome = one.text('outcome');
  try {
    const decoded = decodeCase(setting, params, one.text('era'));
    const got = JSON.stringify(decoded);
    if (outcome === 'error') return { expected: `an error about ${one.text('message_contains')}`, got };
    if (one.has('expected') && !isExpected(decoded, one.object('expected'))) {
      return { expected: JSON.stringify(one.raw('expected')), got };
    }
    if (outcome !== 'ignored') return null;
    const ignored: readonly unknown[] = one.list('same_as_without');
    const others = Object.fromEntries(Object.entries(params).filter(([name]) => !ignored.includes(name)));
    const without = JSON.stringify(decodeCase(setting, others, one.text('era')));
    return got === without ? null : { expected: `the same as without ${ignored.join(', ')}: ${without}`, got };
  } catch (error) {
    const got = String(error);
    if (outcome !== 'error') return { expected: outcome, got };
    const isRefusal = error instanceof ParameterError && error.message.includes(one.text('message_contains'));
    return isRefusal ? null : { expected: `a ParameterError about ${one.text('message_contains')}`, got };
  }
}
