import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApiError } from '@gptj-cloud/protocol';
import {
  admitRun,
  cost,
  countersOf,
  endRun,
  estimate,
  meteredOf,
  openOn,
  refusalOf,
} from '../../testing/admissions.ts';
import { planOf, principalOn } from '../../testing/plans.ts';
import { describeOnEveryStore } from '../../testing/test-store.ts';
import type { Admitted } from './admission.ts';

const START = Date.parse('2026-03-10T12:00:00.000Z');
const MINUTE = 60_000;

describeOnEveryStore('admission', (store) => {
  test('admits 50 parallel requests of two processes up to the quota and not beyond', async () => {
    const plan = planOf('p', { tokensPerDay: 2000, tokensPerMonth: 100_000 });
    const clock = { ms: START };
    const processes = [await openOn(store().db, plan, clock), await openOn(store().db, plan, clock)];
    const who = principalOn(plan, 'user_parallel');
    const attempts = await Promise.allSettled(
      Array.from({ length: 50 }, (_, i) => processes[i % 2]?.admit(who, estimate(40, 60))),
    );
    const granted = attempts.filter((one) => one.status === 'fulfilled');
    assert.equal(granted.length, 20);
    for (const one of attempts) {
      if (one.status === 'rejected') assert.equal(one.reason.code, 'quota_exceeded');
    }
    assert.deepEqual(await countersOf(store().db, who.userId), {
      running: 20,
      dayUsed: 0,
      dayReserved: 2000,
      monthUsed: 0,
      monthReserved: 2000,
    });
    // Half of the reservation is unused and returned.
    await Promise.all(granted.map((one) => one.value?.settle(cost(40, 10))));
    assert.deepEqual(await countersOf(store().db, who.userId), {
      running: 0,
      dayUsed: 1000,
      dayReserved: 0,
      monthUsed: 1000,
      monthReserved: 0,
    });
    const again = await Promise.allSettled(
      Array.from({ length: 50 }, (_, i) => processes[i % 2]?.admit(who, estimate(40, 60))),
    );
    assert.equal(again.filter((one) => one.status === 'fulfilled').length, 10);
  });

  test('admits exactly the allowed number of requests in any 60 seconds', async () => {
    const plan = planOf('p', { requestsPerMinute: 7 });
    const clock = { ms: START };
    const admission = await openOn(store().db, plan, clock);
    const who = principalOn(plan, 'user_rate');
    const granted: number[] = [];
    // Attempts come faster than allowed, at uneven intervals; the sweeps between them must keep the requests that count.
    for (let i = 0; i < 400; i++) {
      clock.ms += [10, 400, 1300, 90, 2100][i % 5] ?? 0;
      try {
        const one = await admission.admit(who, estimate(1, 1));
        granted.push(clock.ms);
        await one.cancel();
      } catch (error) {
        assert.ok(error instanceof ApiError && error.code === 'rate_limited');
        const oldest = granted.at(-7) ?? 0;
        // A refusal is necessary, and states the exact time to retry.
        assert.ok(clock.ms - oldest < MINUTE);
        assert.equal(error.details.retry_after_ms, oldest + MINUTE - clock.ms);
        assert.equal(error.retryAfterSeconds, Math.ceil((oldest + MINUTE - clock.ms) / 1000));
      }
      if (i % 20 === 0) await admission.sweep();
    }
    granted.forEach((at, i) => {
      const eighth = granted[i + 7];
      if (eighth !== undefined) assert.ok(eighth - at >= MINUTE, `requests ${i} to ${i + 7} within ${eighth - at} ms`);
    });
    assert.ok(granted.length >= 7 * 5);
  });

  test('a clock that is behind or goes back admits no request early', async () => {
    const plan = planOf('p', { requestsPerMinute: 1 });
    const [ahead, behind] = [{ ms: START }, { ms: START - 30_000 }];
    const who = principalOn(plan, 'user_skew');
    const first = await openOn(store().db, plan, ahead);
    const second = await openOn(store().db, plan, behind);
    await first.admit(who, estimate(1, 1));
    const refused = await refusalOf(second.admit(who, estimate(1, 1)));
    assert.equal(refused.retryAfterSeconds, 60);
    behind.ms += 90_000;
    await second.admit(who, estimate(1, 1));
  });

  test('a clock that is set back by minutes refuses no request for longer than the limit', async () => {
    const plan = planOf('p', { requestsPerMinute: 1 });
    const clock = { ms: START };
    const admission = await openOn(store().db, plan, clock);
    const who = principalOn(plan, 'user_set_back');
    await admission.admit(who, estimate(1, 1));
    clock.ms -= 8 * MINUTE;
    await admission.admit(who, estimate(1, 1));
    assert.equal((await refusalOf(admission.admit(who, estimate(1, 1)))).retryAfterSeconds, 60);
    await admission.close();
  });

  test('a clock that was a day ahead refuses no request once it is corrected', async () => {
    const plan = planOf('p', { requestsPerMinute: 1, tokensPerDay: 100 });
    const clock = { ms: START + 24 * 60 * MINUTE };
    const admission = await openOn(store().db, plan, clock);
    const who = principalOn(plan, 'user_ahead');
    await (await admission.admit(who, estimate(100, 0))).settle(cost(100, 0));
    clock.ms = START;
    await (await admission.admit(who, estimate(1, 0))).settle(cost(1, 0));
    assert.equal((await refusalOf(admission.admit(who, estimate(1, 0)))).code, 'rate_limited');
    clock.ms += MINUTE;
    await admission.admit(who, estimate(99, 0));
    await admission.close();
  });

  test('counts concurrent runs until they settle or are cancelled', async () => {
    const plan = planOf('p', { concurrentRuns: 2 });
    const admission = await openOn(store().db, plan, { ms: START });
    const who = principalOn(plan, 'user_concurrent');
    const first = await admission.admit(who, estimate(1, 1));
    const second = await admission.admit(who, estimate(1, 1));
    const refused = await refusalOf(admission.admit(who, estimate(1, 1)));
    assert.deepEqual([refused.code, refused.status], ['concurrency_limited', 429]);
    assert.ok((refused.retryAfterSeconds ?? 0) > 0);
    await first.settle(cost(1, 1));
    await second.cancel();
    await Promise.all([admission.admit(who, estimate(1, 1)), admission.admit(who, estimate(1, 1))]);
    await refusalOf(admission.admit(who, estimate(1, 1)));
  });

  test('a repeated end counts once', async () => {
    const plan = planOf('p', { tokensPerDay: 1000 });
    const { db } = store();
    const admission = await openOn(db, plan, { ms: START });
    const who = principalOn(plan, 'user_repeat');
    const one = await admission.admit(who, estimate(10, 90));
    await Promise.all([one.settle(cost(10, 5)), one.settle(cost(10, 5))]);
    await one.cancel();
    const other = await admission.admit(who, estimate(10, 90));
    await other.cancel();
    await other.settle(cost(10, 5));
    const run = await admitRun(db, admission, who, estimate(10, 90));
    await endRun(db, admission, run, cost(20, 5));
    await endRun(db, admission, run, cost(20, 5));
    await endRun(db, admission, run, null);
    const unused = await admitRun(db, admission, who, estimate(10, 90));
    await endRun(db, admission, unused, null);
    await endRun(db, admission, unused, cost(20, 5));
    const [row, ...more] = await meteredOf(db, who.userId);
    assert.equal(more.length, 0);
    assert.deepEqual(
      [row?.day, row?.projectId, row?.apiKeyId, row?.pipeline, row?.planId],
      ['2026-03-10', who.projectId, 'token_1', 'pipeline_x', 'p'],
    );
    assert.deepEqual([row?.runs, row?.promptTokens, row?.generatedTokens, row?.computeMs], [2, 30, 10, 26]);
    assert.deepEqual(await countersOf(db, who.userId), {
      running: 0,
      dayUsed: 40,
      dayReserved: 0,
      monthUsed: 40,
      monthReserved: 0,
    });
  });

  test('reservations and settlements of a transaction take effect only when it commits', async () => {
    for (const plan of [planOf('p', { tokensPerDay: 1000 }), planOf('unlimited')]) {
      const { db } = store();
      const admission = await openOn(db, plan, { ms: START });
      const who = principalOn(plan, `user_tx_${plan.id}`);
      const boom = new Error('boom');
      await assert.rejects(
        db.transaction(async (tx) => {
          await admission.admitRuns(tx, [{ principal: who, estimate: estimate(10, 990) }]);
          throw boom;
        }),
        boom,
      );
      // The rolled-back reservation holds nothing.
      const ticket = await admitRun(db, admission, who, estimate(10, 990));
      await assert.rejects(
        db.transaction(async (tx) => {
          await admission.endRuns(tx, [{ ticket, cost: cost(10, 20) }]);
          throw boom;
        }),
        boom,
      );
      assert.deepEqual(await meteredOf(db, who.userId), []);
      await endRun(db, admission, ticket, cost(10, 20));
      const rows = await meteredOf(db, who.userId);
      assert.deepEqual(
        rows.map((row) => [row.runs, row.promptTokens, row.generatedTokens]),
        [[1, 10, 20]],
      );
    }
  });

  test('admits or refuses each run of a batch, and ends the batch together', async () => {
    const plan = planOf('p', { tokensPerDay: 250, maxContext: 200 });
    const { db } = store();
    const admission = await openOn(db, plan, { ms: START });
    const [a, b] = [principalOn(plan, 'user_together_a'), principalOn(plan, 'user_together_b')];
    const requests = [
      { principal: b, estimate: estimate(100, 0) },
      { principal: a, estimate: estimate(201, 0) },
      { principal: a, estimate: estimate(150, 0) },
      { principal: a, estimate: estimate(150, 0) },
      { principal: b, estimate: estimate(150, 0) },
      { principal: { ...a, planId: 'other' }, estimate: estimate(1000, 0) },
    ];
    const answers = await db.transaction((tx) => admission.admitRuns(tx, requests));
    const outcomes = answers.map((answer) => (answer instanceof ApiError ? answer.code : 'admitted'));
    const expected = ['admitted', 'plan_required', 'admitted', 'quota_exceeded', 'admitted', 'admitted'];
    assert.deepEqual(outcomes, expected);
    const tickets = answers.flatMap((answer) => (answer instanceof ApiError ? [] : [answer.ticket]));
    const costs = [cost(100, 0), cost(120, 0), null, cost(30, 0)];
    const ends = tickets.map((ticket, i) => ({ ticket, cost: costs[i] ?? null }));
    await db.transaction((tx) => admission.endRuns(tx, ends));
    const used = async (who: typeof a): Promise<number[]> =>
      (await meteredOf(db, who.userId)).map(({ promptTokens }) => promptTokens);
    assert.deepEqual([await used(a), await used(b)], [[30, 120], [100]]);
    const counters = { running: 0, dayUsed: 100, dayReserved: 0, monthUsed: 100, monthReserved: 0 };
    assert.deepEqual(await countersOf(db, b.userId), counters);
  });

  test('a sweep returns the reservations of a dead process but not those of runs', async () => {
    const plan = planOf('p', { tokensPerDay: 1000, concurrentRuns: 5 });
    const clock = { ms: START + 60 * MINUTE };
    const { db } = store();
    // Returns what other tests left open.
    await (await openOn(db, plan, clock)).sweep();
    const dead = await openOn(db, plan, clock);
    const alive = await openOn(db, plan, clock);
    const who = principalOn(plan, 'user_dead');
    const lost = await dead.admit(who, estimate(100, 0));
    const kept = await admitRun(db, dead, who, estimate(200, 0));
    await alive.admit(who, estimate(300, 0));
    clock.ms += 45_000;
    assert.equal(await alive.sweep(), 0);
    clock.ms += 20_000;
    assert.equal(await alive.sweep(), 1);
    const counters = { running: 2, dayUsed: 0, dayReserved: 500, monthUsed: 0, monthReserved: 500 };
    assert.deepEqual(await countersOf(db, who.userId), counters);
    // The other process has taken over the run.
    await endRun(db, alive, kept, cost(150, 0));
    // The process was only asleep: its usage is metered, and its reservation is not returned twice.
    await lost.settle(cost(70, 0));
    await lost.settle(cost(70, 0));
    const after = { running: 1, dayUsed: 220, dayReserved: 300, monthUsed: 220, monthReserved: 300 };
    assert.deepEqual(await countersOf(db, who.userId), after);
    await alive.close();
    await alive.close();
    assert.equal(await dead.sweep(), 1);
    // A run's reservation ends after a day: the run was deleted, or has passed its time limit.
    await admitRun(db, dead, who, estimate(200, 0));
    clock.ms += 24 * 60 * MINUTE + 1;
    assert.equal(await dead.sweep(), 1);
  });

  test('meters the requests of all members on the owner of the project', async () => {
    const plan = planOf('p', { concurrentRuns: 1 });
    const { db } = store();
    const admission = await openOn(db, plan, { ms: START });
    const project = { projectId: 'project_00000000000000000000000000000000' };
    const one = await admission.admit({ ...principalOn(plan, 'user_a'), ...project }, estimate(1, 1));
    await refusalOf(admission.admit({ ...principalOn(plan, 'user_b'), ...project }, estimate(1, 1)));
    await one.settle(cost(1, 1));
    const [row] = await meteredOf(db, 'user_00000000000000000000000000000000');
    assert.deepEqual([row?.userId, row?.projectId], ['user_a', project.projectId]);
  });

  test('reserved plus used tokens never pass the limit, and equal used tokens after all generations end', async () => {
    const plan = planOf('p', { tokensPerDay: 500, concurrentRuns: 6 });
    const clock = { ms: START };
    const { db } = store();
    const admission = await openOn(db, plan, clock);
    let seed = 20260310;
    const below = (n: number): number => {
      // Park and Miller's generator, for the same sequence every time.
      seed = (seed * 48271) % 2147483647;
      return seed % n;
    };
    const limits: { readonly who: ReturnType<typeof principalOn>; used: number; open: [Admitted, number][] }[] = [];
    for (const name of ['user_walk_a', 'user_walk_b']) limits.push({ who: principalOn(plan, name), used: 0, open: [] });
    for (let step = 0; step < 250; step++) {
      const account = limits[below(2)];
      assert.ok(account !== undefined);
      const { open, who } = account;
      const reserved = open.reduce((sum, [, tokens]) => sum + tokens, 0);
      const tokens = 1 + below(120);
      const action = below(3);
      const [last, lastTokens] = open[below(Math.max(1, open.length))] ?? [];
      if (action === 0 || last === undefined || lastTokens === undefined) {
        const fits = open.length < 6 && account.used + reserved + tokens <= 500;
        const answer = await admission.admit(who, estimate(tokens, 0)).catch((error: unknown) => error);
        assert.equal(!(answer instanceof Error), fits, `step ${step}`);
        if (!(answer instanceof Error)) open.push([answer as Admitted, tokens]);
      } else {
        open.splice(
          open.findIndex(([one]) => one === last),
          1,
        );
        const used = action === 1 ? below(lastTokens + 1) : 0;
        account.used += Math.min(used, 20);
        if (action === 1) await last.settle(cost(Math.min(used, 20), 0));
        else await last.cancel();
      }
      const held = open.reduce((sum, [, tokens]) => sum + tokens, 0);
      assert.ok(account.used + held <= 500);
    }
    for (const { who, open, used } of limits) {
      await Promise.all(open.map(([one]) => one.cancel()));
      assert.deepEqual(await countersOf(db, who.userId), {
        running: 0,
        dayUsed: used,
        dayReserved: 0,
        monthUsed: used,
        monthReserved: 0,
      });
    }
  });

  test('refuses a model or context with plan_required and names the plans that include it', async () => {
    const plan = planOf('small', { models: ['gptj-nano*'], maxContext: 100 });
    const admission = await openOn(store().db, plan, { ms: START });
    const who = principalOn(plan, 'user_model');
    const model = await refusalOf(admission.admit(who, estimate(1, 1)));
    assert.deepEqual([model.code, model.status], ['plan_required', 403]);
    assert.match(model.message, /gpt-j-6b/);
    assert.match(String(model.details.remedy), /ask an owner .* grants it .* gptj plans grant NAME PLAN/);
    assert.deepEqual(model.details.plans, ['other', 'larger']);
    const wide = planOf('wide', { maxContext: 100 });
    const context = await openOn(store().db, wide, { ms: START });
    await context.admit(principalOn(wide, 'user_model'), estimate(60, 40));
    // Several sequences share their prompt: the longest one counts.
    await context.admit(principalOn(wide, 'user_model'), { ...estimate(60, 80), contextTokens: 100 });
    const refused = await refusalOf(context.admit(principalOn(wide, 'user_model'), estimate(60, 41)));
    assert.match(refused.message, /100 tokens together, and 101/);
  });

  test('refuses a cost that is not a count before writing anything', async () => {
    const plan = planOf('p', { tokensPerDay: 100 });
    const admission = await openOn(store().db, plan, { ms: START });
    const one = await admission.admit(principalOn(plan, 'user_nan'), estimate(1, 1));
    await assert.rejects(one.settle(cost(Number.NaN, 1)), RangeError);
    await assert.rejects(one.settle(cost(1, -1)), RangeError);
    await one.settle(cost(1, 1));
  });
});
