/** The files of `deploy/` name metrics, settings and addresses that this server has. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { parse } from 'yaml';
import { settingsSchema } from './config/settings.ts';
import { measureProcess } from './telemetry/metrics/process-metrics.ts';
import { createServerMetrics, readEngineMetrics } from './telemetry/metrics/server-metrics.ts';
import { openTestApp } from './testing/test-app.ts';

const SETTINGS: ReadonlySet<string> = new Set(Object.keys(settingsSchema.shape));

const read = async (name: string): Promise<string> =>
  await readFile(new URL(`../../../deploy/${name}`, import.meta.url), 'utf8');

/** Metrics of a scrape, and those of an engine and without an observation, which it lacks here. */
async function knownMetrics(): Promise<ReadonlySet<string>> {
  const metrics = createServerMetrics();
  measureProcess(metrics)();
  readEngineMetrics(metrics, () => []);
  const it = await openTestApp();
  try {
    const reply = await it.request('/metrics');
    assert.equal(reply.status, 200);
    const scraped = [...(await reply.text()).matchAll(/^# TYPE (\S+) /gm)].map(([, name = '']) => name);
    return new Set([...scraped, ...metrics.registry.names]);
  } finally {
    await it.close();
  }
}

/** Names in expressions of PromQL that belong to no metric. `up` is Prometheus' own. */
function unknownMetrics(expressions: readonly string[], known: ReadonlySet<string>): readonly string[] {
  return expressions.flatMap((expression) => {
    const withoutLabels = expression.replaceAll(/\{[^}]*\}|\[[^\]]*\]|\b(?:by|without) \([^)]*\)/g, ' ');
    const names = [...withoutLabels.matchAll(/\b[a-z]\w*\b(?!\s*\()/g)]
      .map(([name]) => name)
      .filter((name) => !['up', 'by', 'and', 'or', 'unless', 'on', 'bool'].includes(name));
    return names.filter((name) => !known.has(name) && !known.has(name.replace(/_(?:bucket|sum|count)$/, '')));
  });
}

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly annotations: { readonly summary: string; readonly description: string };
}

test('every metric and every setting of the alert rules exists', async () => {
  const { groups } = parse(await read('prometheus/alerts.yaml')) as { groups: readonly { rules: readonly Rule[] }[] };
  const rules = groups.flatMap((group) => group.rules);
  assert.ok(rules.length > 5);
  assert.equal(new Set(rules.map(({ alert }) => alert)).size, rules.length);
  const known = await knownMetrics();
  const expressions = rules.map(({ expr }) => expr);
  assert.deepEqual(unknownMetrics(expressions, known), []);
  assert.deepEqual(unknownMetrics(['sum by (le) (rate(gptj_no_such_bucket{a="b"}[5m]))'], known), [
    'gptj_no_such_bucket',
  ]);
  for (const { alert, annotations } of rules) {
    const names = [...annotations.description.matchAll(/\b[A-Z]+(?:_[A-Z]+)+\b/g)].map(([name]) => name);
    assert.deepEqual(
      names.filter((name) => !SETTINGS.has(name)),
      [],
      alert,
    );
  }
});

interface Panel {
  readonly id: number;
  readonly title: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets: readonly { readonly expr: string }[];
}

test('every metric of the Grafana dashboard exists, and no panel covers another', async () => {
  const { panels, templating } = JSON.parse(await read('grafana/gptj-cloud.json')) as {
    readonly panels: readonly Panel[];
    readonly templating: { readonly list: readonly { readonly name: string; readonly query: unknown }[] };
  };
  assert.ok(panels.length > 8);
  assert.equal(new Set(panels.map(({ id }) => id)).size, panels.length);
  const known = await knownMetrics();
  const expressions = panels.flatMap(({ targets }) => targets.map(({ expr }) => expr));
  assert.deepEqual(unknownMetrics(expressions, known), []);
  assert.match(JSON.stringify(templating.list), /label_values\(gptj_build_info, instance\)/);
  const taken = new Map<string, string>();
  for (const { title, gridPos } of panels) {
    assert.ok(gridPos.x + gridPos.w <= 24, title);
    for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
      for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
        assert.equal(taken.get(`${x},${y}`), undefined, title);
        taken.set(`${x},${y}`, title);
      }
    }
  }
});

interface Service {
  readonly environment: Readonly<Record<string, string>>;
  readonly volumes: readonly string[];
  readonly ports?: readonly string[];
  readonly profiles?: readonly string[];
}

test('the composition sets settings of the server, keeps its data folder, and publishes to this machine alone', async () => {
  const { services, volumes } = parse(await read('compose.yaml')) as {
    readonly services: Readonly<Record<'server' | 'postgres', Service>>;
    readonly volumes: object;
  };
  const { server, postgres } = services;
  assert.deepEqual(
    Object.keys(server.environment).filter((name) => !SETTINGS.has(name)),
    [],
  );
  for (const { volumes: places } of [server, postgres]) {
    for (const place of places) assert.ok((place.split(':')[0] ?? '') in volumes, place);
  }
  assert.deepEqual(server.volumes, ['data:/data']);
  assert.ok(server.ports?.every((port) => port.startsWith('127.0.0.1:')));
  assert.deepEqual([server.profiles, postgres.profiles], [undefined, ['postgres']]);
});

interface ClusterService extends Service {
  readonly command: readonly string[];
  readonly read_only?: boolean;
  readonly cap_drop?: readonly string[];
  readonly stop_grace_period?: string;
  readonly tmpfs?: readonly string[];
}

test('servers and workers of the composition of several cannot write their images, and drain before they are killed', async () => {
  const { services, volumes } = parse(await read('compose.cluster.yaml'), { merge: true }) as {
    readonly services: Readonly<Record<'api' | 'worker' | 'postgres' | 'vllm', ClusterService>>;
    readonly volumes: object;
  };
  const { api, worker, postgres, vllm } = services;
  for (const [role, service] of [
    ['serve', api],
    ['worker', worker],
  ] as const) {
    assert.deepEqual([service.command, service.read_only, service.cap_drop], [[role], true, ['ALL']]);
    assert.deepEqual(
      Object.keys(service.environment).filter((name) => !SETTINGS.has(name)),
      [],
    );
    const drainSeconds = Number(service.environment.DRAIN_TIMEOUT_SECONDS);
    assert.ok(Number.parseInt(service.stop_grace_period ?? '', 10) > drainSeconds, role);
    const writable = [...service.volumes, ...(service.tmpfs ?? [])].map((place) =>
      place.split(':').find((part) => part.startsWith('/')),
    );
    assert.deepEqual(
      ['/data', '/tmp'].filter((path) => !writable.includes(path)),
      [],
      role,
    );
  }
  for (const { volumes: places = [] } of [api, worker, postgres, vllm]) {
    for (const place of places) assert.ok((place.split(':')[0] ?? '') in volumes, place);
  }
  assert.ok(api.ports?.every((port) => port.startsWith('127.0.0.1:')));
  assert.deepEqual(
    [worker.ports, postgres.ports, vllm.ports, vllm.profiles],
    [undefined, undefined, undefined, ['vllm']],
  );
});

test('the image runs as a user without rights, keeps data in its volume, and asks an address that exists', async () => {
  const lines = (await read('Dockerfile')).replaceAll('\\\n', ' ').split('\n');
  const lastOf = (instruction: string): string =>
    lines
      .findLast((line) => line.startsWith(`${instruction} `))
      ?.slice(instruction.length + 1)
      .trim() ?? '';
  const environment = Object.fromEntries(
    lastOf('ENV')
      .split(' ')
      .map((pair) => pair.split('=')),
  ) as Readonly<Record<string, string>>;
  assert.deepEqual(
    Object.keys(environment).filter((name) => !SETTINGS.has(name)),
    ['NODE_ENV'],
  );
  assert.equal(lastOf('USER'), 'gptj');
  assert.deepEqual([lastOf('VOLUME'), lastOf('EXPOSE')], [environment.DATA_DIR, environment.PORT]);
  const path = /\}(\/\w+)`/.exec(lastOf('HEALTHCHECK'))?.[1] ?? '';
  const it = await openTestApp();
  try {
    assert.equal((await it.app.request(path)).status, 200, path);
  } finally {
    await it.close();
  }
});
