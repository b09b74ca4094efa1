/** The Helm chart of `deploy/helm`, rendered as Helm does: by Go's templates and sprig, which Debian has. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { sql } from 'drizzle-orm';
import { parseAllDocuments, stringify } from 'yaml';
import { z } from 'zod';
import { settingsSchema } from './config/settings.ts';
import { readBacklogs } from './runs/run-backlog-store.ts';
import { returnedRows } from './store/returned-rows.ts';
import { storeRun } from './testing/store-run.ts';
import { openTestStore } from './testing/test-store.ts';

const CHART = fileURLToPath(new URL('../../../deploy/helm/gptj-cloud', import.meta.url));
const RENDERER = fileURLToPath(new URL('../../../scripts/helm/render.go', import.meta.url));
const GO_PATH = '/usr/share/gocode';
const hasGo =
  existsSync(join(GO_PATH, 'src/github.com/Masterminds/sprig')) && spawnSync('go', ['version']).status === 0;
const skip = hasGo
  ? false
  : 'golang-go, golang-github-masterminds-sprig-dev and golang-gopkg-yaml.v3-dev are not installed';

interface Env {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: { readonly secretKeyRef: { readonly name: string; readonly key: string } };
}
interface Container {
  readonly name: string;
  readonly args: readonly string[];
  readonly env: readonly Env[];
  readonly ports: readonly { readonly name: string }[];
  readonly securityContext: object;
  readonly startupProbe?: { readonly periodSeconds: number; readonly failureThreshold: number };
  readonly lifecycle?: { readonly preStop: { readonly exec: { readonly command: readonly string[] } } };
  readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string }[];
}
interface Pod {
  readonly metadata: { readonly labels: Readonly<Record<string, string>> };
  readonly spec: {
    readonly automountServiceAccountToken: boolean;
    readonly securityContext: { readonly runAsNonRoot: boolean; readonly runAsUser: number };
    readonly terminationGracePeriodSeconds: number;
    readonly containers: readonly Container[];
    readonly volumes: readonly { readonly name: string }[];
  };
}
/** What the tests read of any object. */
interface Rendered {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly data: Readonly<Record<string, string>>;
  // biome-ignore lint/suspicious/noExplicitAny: of as many shapes as Kubernetes has kinds
  readonly spec: any;
}

const FULL = {
  postgres: { enabled: true },
  worker: { autoscaling: { enabled: true }, settings: { LOG_LEVEL: 'debug' } },
  vllm: { enabled: true },
  model: { path: 'gpt-j-6b.gguf', volume: { persistentVolumeClaim: { claimName: 'models', readOnly: true } } },
  monitoring: { enabled: true, dashboard: true, labels: { release: 'kube' } },
  api: { ingress: { enabled: true, host: 'gptj.example.org', tlsSecret: 'tls' } },
  settings: { TRUSTED_PROXIES: '10.0.0.0/8', LOG_LEVEL: 'warn' },
};
const EXTERNAL = {
  database: { url: 'postgres://gptj@db/gptj' },
  vllm: { url: 'http://gpu:8000', existingSecret: 'engine' },
};
const SECRET = { existingSecret: 'mine', networkPolicy: { enabled: false } };

describe('the Helm chart', { skip }, () => {
  let folder: string;
  let count = 0;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'gptj-helm-'));
    const env = {
      ...process.env,
      GO111MODULE: 'off',
      GOPATH: GO_PATH,
      GOFLAGS: '',
      GOCACHE: join(tmpdir(), 'gptj-go-cache'),
    };
    execFileSync('go', ['build', '-o', join(folder, 'render'), RENDERER], { env });
  });
  after(() => rm(folder, { recursive: true }));

  async function render(values: object): Promise<readonly Rendered[]> {
    const file = join(folder, `values-${++count}.yaml`);
    await writeFile(file, stringify(values));
    const { status, stdout, stderr } = spawnSync(join(folder, 'render'), [CHART, file], { encoding: 'utf8' });
    if (status !== 0) throw new Error(stderr);
    return parseAllDocuments(stdout).flatMap((document) => {
      assert.deepEqual(document.errors, []);
      const value: Rendered | null = document.toJS();
      return value === null ? [] : [value];
    });
  }
  const podsOf = (objects: readonly Rendered[]): readonly (readonly [name: string, pod: Pod])[] =>
    objects.flatMap(({ kind, metadata, spec }) =>
      ['Deployment', 'StatefulSet'].includes(kind) ? [[metadata.name, spec.template] as const] : [],
    );
  const has = (labels: Readonly<Record<string, string>>, wanted: Readonly<Record<string, string>>): boolean =>
    Object.entries(wanted).every(([key, value]) => labels[key] === value);

  for (const [name, values] of Object.entries({ full: FULL, external: EXTERNAL, secret: SECRET })) {
    test(`its pods run without rights on a file system they cannot write, and what they name exists (${name})`, async () => {
      const objects = await render(values);
      const names = objects.map(({ kind, metadata }) => `${kind} ${metadata.name}`);
      assert.equal(new Set(names).size, names.length);
      const secrets = new Map(
        objects.flatMap((each) => (each.kind === 'Secret' ? [[each.metadata.name, each.data]] : [])),
      );
      for (const [pod, { metadata, spec }] of podsOf(objects)) {
        assert.ok(spec.securityContext.runAsNonRoot && spec.securityContext.runAsUser > 0, pod);
        assert.equal(spec.automountServiceAccountToken, false, pod);
        const claims = objects.flatMap((each) =>
          each.metadata.name === pod
            ? (each.spec?.volumeClaimTemplates ?? []).map((claim: Rendered) => claim.metadata.name)
            : [],
        );
        const volumes = new Set([...spec.volumes.map((volume) => volume.name), ...claims]);
        for (const container of spec.containers) {
          assert.deepEqual(container.securityContext, {
            allowPrivilegeEscalation: false,
            readOnlyRootFilesystem: true,
            capabilities: { drop: ['ALL'] },
          });
          for (const mount of container.volumeMounts) assert.ok(volumes.has(mount.name), mount.name);
          assert.ok(
            container.volumeMounts.some(({ mountPath }) => mountPath === '/tmp'),
            pod,
          );
          assert.equal(new Set(container.env.map((each) => each.name)).size, container.env.length, pod);
          for (const { name: variable, value, valueFrom } of container.env) {
            assert.ok(value === undefined || typeof value === 'string', variable);
            const key = valueFrom?.secretKeyRef;
            if (key === undefined) continue;
            if (variable === 'ENGINE_KEY') assert.equal(key.name, 'engine');
            else if ('existingSecret' in values) assert.equal(key.name, values.existingSecret);
            else assert.ok(secrets.get(key.name)?.[key.key] !== undefined, `${key.name}/${key.key}`);
          }
        }
        assert.equal(metadata.labels['app.kubernetes.io/instance'], 'trial');
      }
      const labels = podsOf(objects).map(([, pod]) => pod.metadata.labels);
      for (const { kind, metadata, spec } of objects) {
        const selected =
          kind === 'Service'
            ? spec.selector
            : kind === 'NetworkPolicy'
              ? spec.podSelector.matchLabels
              : spec?.selector?.matchLabels;
        if (selected === undefined) continue;
        const matched = labels.filter((each) => has(each, selected)).length;
        assert.equal(matched, kind === 'ServiceMonitor' ? labels.length : 1, `${kind} ${metadata.name}`);
      }
      for (const { kind, spec } of objects) {
        if (kind === 'ScaledObject') assert.ok(names.includes(`Deployment ${spec.scaleTargetRef.name}`));
      }
    });

    test(`its servers and workers get settings that exist, and time to load and to drain (${name})`, async () => {
      const objects = await render(values);
      const ours = podsOf(objects).filter(([pod]) => /-(?:api|worker)$/.test(pod));
      assert.deepEqual(
        ours.map(([, { spec }]) => spec.containers[0]?.args),
        [['serve'], ['worker']],
      );
      for (const [pod, { spec }] of ours) {
        const [container] = spec.containers;
        assert.ok(container !== undefined);
        const environment = new Map(container.env.map((each) => [each.name, each.value]));
        assert.deepEqual(
          [...environment.keys()].filter((setting) => !(setting in settingsSchema.shape)),
          [],
        );
        const drain = Number(environment.get('DRAIN_TIMEOUT_SECONDS'));
        const preStop = Number(/\d{4,}/.exec(container.lifecycle?.preStop.exec.command.at(-1) ?? '')?.[0]) / 1000;
        assert.ok(preStop > 0 && spec.terminationGracePeriodSeconds > drain + preStop, pod);
        const { periodSeconds, failureThreshold } = container.startupProbe ?? { periodSeconds: 0, failureThreshold: 0 };
        assert.ok(periodSeconds * failureThreshold >= 600, pod);
        assert.equal(environment.has('GPTJ_API_TOKEN'), pod.endsWith('-api'));
      }
      const budgets = objects.filter(({ kind }) => kind === 'PodDisruptionBudget').map(({ metadata }) => metadata.name);
      assert.deepEqual(
        budgets,
        ours.map(([pod]) => pod),
      );
    });
  }

  test('the setting of a role comes before that of all', async () => {
    const levels = podsOf(await render(FULL)).flatMap(([, { spec }]) =>
      (spec.containers[0]?.env ?? []).flatMap(({ name, value }) => (name === 'LOG_LEVEL' ? [value] : [])),
    );
    assert.deepEqual(levels, ['warn', 'debug']);
  });

  test('workers of a vLLM get its address', async () => {
    const engineOf = async (values: object) =>
      podsOf(await render(values))
        .find(([pod]) => pod.endsWith('-worker'))?.[1]
        .spec.containers[0]?.env.find(({ name }) => name === 'GPTJ_ENGINE')?.value;
    assert.equal(await engineOf(FULL), 'openai=http://trial-gptj-cloud-vllm:8000');
    assert.equal(await engineOf(EXTERNAL), 'openai=http://gpu:8000');
    assert.equal(await engineOf(SECRET), undefined);
  });

  test('a vLLM has a name for its user, whom its image does not know, and room for its caches', async () => {
    const pod = podsOf(await render(FULL)).find(([name]) => name.endsWith('-vllm'))?.[1];
    const { env = [], volumeMounts = [] } = pod?.spec.containers[0] ?? {};
    const settingOf = (wanted: string) => env.find(({ name }) => name === wanted)?.value;
    assert.ok(settingOf('USER'));
    assert.ok(volumeMounts.some(({ mountPath }) => mountPath === settingOf('HOME')));
  });

  test('without a database, and with two answers where it is, it is refused in plain words', async () => {
    await assert.rejects(
      render({}),
      /database\.url, postgres\.enabled or existingSecret: expected one of them, got none/,
    );
    await assert.rejects(render({ ...SECRET, postgres: { enabled: true } }), /expected no existingSecret/);
  });

  test('its rules and its dashboard are those of the project', async () => {
    const objects = await render(FULL);
    const rules = objects.find(({ kind }) => kind === 'PrometheusRule');
    assert.ok(rules?.spec.groups[0].rules.length > 5);
    const dashboard = objects.find(({ kind }) => kind === 'ConfigMap')?.data['gptj-cloud.json'];
    assert.ok(JSON.parse(dashboard ?? '').panels.length > 8);
  });

  test('the query of its autoscaler gives the seconds of work in the store', async () => {
    const scaled = (await render(FULL)).find(({ kind }) => kind === 'ScaledObject');
    const [trigger] = scaled?.spec.triggers ?? [];
    assert.equal(trigger.metadata.targetQueryValue, String(8 * 60));
    const store = await openTestStore();
    const work = async (): Promise<number | undefined> => {
      const rows = await store.db.execute(sql.raw(trigger.metadata.query));
      return Object.values(returnedRows(rows, z.record(z.string(), z.coerce.number()))[0] ?? {})[0];
    };
    try {
      assert.equal(await work(), 0);
      for (const pipelineId of ['a', 'a', 'b']) await storeRun(store.db, new Date(), { pipelineId });
      await store.db.execute(
        sql`INSERT INTO run_sums SELECT id, date_trunc('hour', now()), 'a', '', 4, 4, 0, 16000 FROM projects LIMIT 1`,
      );
      const backlogs = await readBacklogs(store.db, []);
      assert.equal(
        await work(),
        backlogs.reduce((sum, { computeSeconds }) => sum + computeSeconds, 0),
      );
      await storeRun(store.db, new Date(), { pipelineId: 'a', lease: { owner: 'x', ms: 60_000 } });
      assert.equal(await work(), 22, 'a run under way counts as a mean one');
    } finally {
      await store.close();
    }
  });
});
