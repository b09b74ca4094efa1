import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeNodeRelease } from './node-release.ts';

test('names a release of Node that gets no security fixes any more, and the oldest one that does', () => {
  const now = new Date('2026-11-27T00:00:00Z');
  assert.equal(
    describeNodeRelease('20.19.0', now),
    'Node 20.19.0 gets no security fixes any more since 2026-04-30; use Node 22 or later',
  );
  assert.match(describeNodeRelease('21.7.3', now) ?? '', /^Node 21\.7\.3 gets no security fixes any more; use Node 22/);
  assert.match(describeNodeRelease('22.1.0', new Date('2027-06-01T00:00:00Z')) ?? '', /use Node 24 or later$/);
  assert.match(describeNodeRelease('24.0.0', new Date('2031-01-01T00:00:00Z')) ?? '', /use a supported release$/);
});

test('says nothing of a release that gets fixes, or that is newer than the list', () => {
  assert.equal(describeNodeRelease('20.19.0', new Date('2026-04-30T12:00:00Z')), null);
  for (const version of ['22.12.0', '24.1.0', '26.0.0', '27.0.0', '28.0.0']) {
    assert.equal(describeNodeRelease(version, new Date('2026-11-27T00:00:00Z')), null, version);
  }
});
