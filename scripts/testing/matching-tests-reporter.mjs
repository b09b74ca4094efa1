// Node's `spec` report of the tests that a name pattern selected. Node 20 lists every other test as skipped, and passes
// when the pattern selects none: here those lines are left out, and selecting none fails.
import { Readable } from 'node:stream';
import { spec } from 'node:test/reporters';

const UNSELECTED = 'test name does not match pattern';

export default async function* report(source) {
  const counts = { selected: 0, broken: 0 };
  yield* Readable.from(selectedEvents(source, counts)).pipe(new spec());
  if (counts.selected > 0 || counts.broken > 0) return;
  process.exitCode = 1;
  // The runner sets its own status when it is done.
  process.on('exit', () => {
    process.exitCode = 1;
  });
  yield '\nno test has a name that matches the pattern\n';
}

/** Events of suites are buffered until one of their tests is selected. */
async function* selectedEvents(source, counts) {
  let waiting = [];
  for await (const event of source) {
    const { type, data } = event;
    if (type === 'test:start') {
      waiting.push(event);
      continue;
    }
    if (type !== 'test:pass' && type !== 'test:fail') {
      if (type !== 'test:diagnostic' || !/^skipped /.test(data.message)) yield event;
      continue;
    }
    const isSuite = data.details?.type === 'suite';
    const isUnselected = data.skip === UNSELECTED || (isSuite && type === 'test:pass' && isWaiting(waiting, data));
    if (isUnselected) {
      waiting = waiting.filter((start) => !isSame(start.data, data));
      continue;
    }
    if (type === 'test:fail') counts.broken++;
    if (!isSuite && data.name !== data.file) counts.selected++;
    yield* waiting;
    waiting = [];
    yield event;
  }
}

function isWaiting(waiting, data) {
  return waiting.some((start) => isSame(start.data, data));
}

function isSame(start, end) {
  return start.name === end.name && start.nesting === end.nesting && start.file === end.file;
}
