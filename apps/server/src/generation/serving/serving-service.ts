/**
 * Models that owners have the server serve while it runs, beside those of its settings. They are rows of the store: every
 * server of the store opens what is added and closes what is gone, at its start and within seconds, as far as its own data
 * folder has the model. Where a name is also that of a model of the settings, the settings win, and the row waits. A server of the
 * API also takes requests for models that it does not have and other servers compute, and learns of them as they come and go.
 *
 * A model that is served no longer takes no requests at once; generations that have begun go on to their end. It is
 * refused while runs of it are open.
 */
import { ApiError, type ModelServingGet, toTimestamp } from '@gptj-cloud/protocol';
import { type Caller, recordAudit } from '../../audit/audit-log.ts';
import type { Database } from '../../store/db.ts';
import { startPolling } from '../../store/polling.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { ModelService, ModelSource } from '../model-service.ts';
import { pipelineOf } from '../pipelines/pipeline-identity.ts';
import { deleteServing, insertServing, listServings, type ModelServing } from './serving-store.ts';

/** Opens models of the data folder while the server runs. */
export interface ModelOpener {
  /** What `NAME` or `NAME.TYPE` means now. Throws `ApiError`. */
  find(model: string): Promise<{ readonly model: string; readonly name: string }>;
  /** Throws `ApiError`, or any other error with a message for the operator, for a model that cannot be served. */
  open(serving: Pick<ModelServing, 'name' | 'model'>): Promise<ModelSource>;
  /** Resolves when its last generation has ended and its memory is free. */
  close(name: string): Promise<void>;
}

/** Models that other servers of the store compute. */
export interface ModelsElsewhere {
  /** What they serve now, without what this server has itself. A model that has not changed is the same object as before. */
  find(): Promise<readonly ModelSource[]>;
}

export interface ServingDeps {
  readonly db: Database;
  readonly clock: () => Date;
  readonly logger: Logger;
  /** Other servers share the store and may add and remove models. */
  readonly isShared: boolean;
  readonly opener: ModelOpener;
  /** Null: requests get the models of this server alone. */
  readonly elsewhere: ModelsElsewhere | null;
  /** The served models, the first one first: always the present ones. */
  readonly models: readonly ModelService[];
  /** Serve an opened model: routes, pipeline, metrics. */
  readonly install: (source: ModelSource) => ModelService;
  readonly uninstall: (service: ModelService) => void;
  readonly countOpenRuns: (pipelineId: string) => Promise<number>;
}

export interface ServingService {
  /** Every served model, and those that are to be served and cannot be, with the reasons. */
  list(): Promise<readonly ModelServingGet[]>;
  /**
   * Serve `NAME` or `NAME.TYPE` of the data folder, under another name where one is given. Throws `name_unknown`, `conflict`,
   * `invalid_parameter`.
   */
  serve(request: { readonly model: string; readonly name: string | null }, caller: Caller): Promise<ModelServingGet>;
  /** Serve it no longer. Throws `name_unknown`, and `conflict` for a model of the settings and while runs are open. */
  stop(name: string, caller: Caller): Promise<ModelServingGet>;
  /** Read the store. Call it before the first run is executed. */
  refresh(): Promise<void>;
  close(): Promise<void>;
}

/** After how long other servers of a store notice. */
const POLL_MS = 2_000;

interface Served {
  readonly serving: ModelServing;
  readonly service: ModelService;
}

export function createServingService(deps: ServingDeps): ServingService {
  const { db, clock, logger, opener, elsewhere, models, install, uninstall, countOpenRuns } = deps;
  /** Of the rows, by name. */
  const served = new Map<string, Served>();
  /** Why rows are not served here. */
  const failures = new Map<string, string>();
  let last: Promise<unknown> = Promise.resolve();

  /** One change at a time. */
  const inTurn = <Result>(work: () => Promise<Result>): Promise<Result> => {
    const turn = last.then(work);
    last = turn.catch(() => undefined);
    return turn;
  };
  const namedLike = (name: string): ModelService | undefined =>
    models.find(({ model }) => model.info.modelName.toLowerCase() === name.toLowerCase());
  /** Another server computes it. The first model stays in any case. */
  const isElsewhere = (service: ModelService): boolean => service.source.isElsewhere === true && service !== models[0];
  const isOfSettings = (service: ModelService): boolean => !served.has(service.model.info.modelName);

  const begin = async (serving: ModelServing): Promise<void> => {
    const source = await opener.open(serving);
    try {
      const other = namedLike(serving.name);
      if (other !== undefined && isElsewhere(other)) uninstall(other);
      served.set(serving.name, { serving, service: install(source) });
      failures.delete(serving.name);
    } catch (error) {
      await opener.close(serving.name);
      throw error;
    }
    logger.info('a model is served', { model: serving.name, file: serving.model });
  };
  const end = (name: string): void => {
    const found = served.get(name);
    if (found === undefined) return;
    served.delete(name);
    uninstall(found.service);
    logger.info('a model is served no longer', { model: name });
    opener.close(name).catch((error: unknown) => logger.error('an engine did not close', { model: name, error }));
  };
  /** Serve a row of the store, or note why that fails. */
  const tryBegin = async (serving: ModelServing): Promise<void> => {
    const same = namedLike(serving.name);
    const taken =
      same === undefined || isElsewhere(same)
        ? null
        : 'this server has a model of this name, from its settings or of the workers on its database';
    const reason = taken ?? (await begin(serving).then(() => null, messageOf));
    const isServed = reason === null || (taken === null && same !== undefined);
    if (isServed) failures.delete(serving.name);
    if (isServed || failures.get(serving.name) === reason) return;
    failures.set(serving.name, reason);
    logger.warn('a model cannot be served', { model: serving.name, file: serving.model, reason });
  };
  /** Take requests for the models of other servers that are there now, and for no others. */
  const followElsewhere = async (): Promise<void> => {
    if (elsewhere === null) return;
    const found = await elsewhere.find();
    for (const service of models.filter(isElsewhere)) {
      if (found.includes(service.source)) continue;
      uninstall(service);
      logger.info('a model is served no longer by other servers', { model: service.model.info.modelName });
    }
    for (const source of found) {
      const { modelName } = source.engine.info;
      if (namedLike(modelName) !== undefined) continue;
      install(source);
      logger.info('a model is served by other servers', { model: modelName });
    }
  };
  const refresh = async (): Promise<void> => {
    await followElsewhere();
    const rows = await listServings(db);
    const wanted = new Map(rows.map((row) => [row.name, row]));
    for (const [name, { serving }] of [...served]) if (wanted.get(name)?.model !== serving.model) end(name);
    for (const name of [...failures.keys()]) if (!wanted.has(name)) failures.delete(name);
    for (const row of rows) if (!served.has(row.name)) await tryBegin(row);
  };
  const polling = deps.isShared
    ? startPolling(() => inTurn(refresh), {
        everyMs: POLL_MS,
        onError: (error) => logger.warn('the models to serve could not be read', { error }),
      })
    : null;
  const toGet = (service: ModelService, rows: readonly ModelServing[]): ModelServingGet => {
    const { modelName } = service.model.info;
    const row = isElsewhere(service) ? rows.find(({ name }) => name === modelName) : served.get(modelName)?.serving;
    return toServingGet(service, row ?? null);
  };
  return {
    async list() {
      const rows = await listServings(db);
      const isFailed = ({ name }: ModelServing): boolean => {
        const same = namedLike(name);
        return !served.has(name) && (same === undefined || !isElsewhere(same));
      };
      const failed = rows.filter(isFailed);
      return [
        ...models.map((each) => toGet(each, rows)),
        ...failed.map((row) => toFailedGet(row, failures.get(row.name) ?? null)),
      ];
    },
    serve: ({ model, name: given }, caller) =>
      inTurn(async () => {
        const found = await opener.find(model);
        const name = given ?? found.name;
        await refresh();
        if (namedLike(name) !== undefined) {
          throw new ApiError('conflict', {
            reason: `the server serves a model with the name ${name}`,
            remedy: 'give this one another name, or stop serving that one',
          });
        }
        const serving = { name, model: found.model, createdAt: clock() };
        await begin(serving);
        try {
          await db.transaction(async (tx) => {
            if (!(await insertServing(tx, serving))) {
              throw new ApiError('conflict', {
                reason: `the name ${name} is that of another model to serve`,
                remedy: 'give this one another name, or stop serving that one',
              });
            }
            await recordAudit(tx, clock(), caller, {
              action: 'server.model_serve',
              subject: null,
              details: { name, model: found.model },
            });
          });
        } catch (error) {
          end(name);
          throw error;
        }
        return toGet(served.get(name)!.service, []);
      }),
    stop: (name, caller) =>
      inTurn(async () => {
        await refresh();
        const service = namedLike(name);
        const rows = await listServings(db);
        const row = rows.find((each) => each.name.toLowerCase() === name.toLowerCase());
        if (row === undefined) {
          if (service === undefined || !isOfSettings(service)) {
            const remedy = 'see GET /v2/admin/models/served for the served models';
            throw new ApiError('name_unknown', { kind: 'served model', name, remedy });
          }
          throw new ApiError('conflict', {
            reason: `${name} is a model of the server's settings`,
            remedy: 'take it out of GPTJ_MODEL or GPTJ_MODELS, and start the server again',
          });
        }
        const found = served.get(row.name);
        // Also where another server alone serves it.
        const open = await countOpenRuns(pipelineOf(row.name, false).id);
        if (open > 0) {
          throw new ApiError('conflict', {
            reason: `${open} ${open === 1 ? 'run' : 'runs'} of ${name} ${open === 1 ? 'has' : 'have'} not ended`,
            remedy: 'wait until they have, or cancel them: GET /v2/admin/runs lists the open runs',
          });
        }
        const shown = found?.service ?? (service !== undefined && isElsewhere(service) ? service : null);
        const state = shown === null ? toFailedGet(row, failures.get(row.name) ?? null) : toGet(shown, rows);
        await db.transaction(async (tx) => {
          await deleteServing(tx, row.name);
          const { model } = row;
          await recordAudit(tx, clock(), caller, {
            action: 'server.model_serve_end',
            subject: null,
            details: { name: row.name, model },
          });
        });
        end(row.name);
        failures.delete(row.name);
        return state;
      }),
    refresh: () => inTurn(refresh),
    async close() {
      await polling?.stop();
      await last;
    },
  };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function toServingGet({ model, pipeline, hosted }: ModelService, serving: ModelServing | null): ModelServingGet {
  const status = hosted?.status();
  return {
    name: model.info.modelName,
    model: serving?.model ?? null,
    pipeline_id: pipeline.id,
    tags: [...pipeline.tags],
    from: serving === null ? 'settings' : 'store',
    state: status?.state ?? 'loaded',
    reason: status?.reason ?? null,
    adapters: [...model.info.adapters],
    planned_bytes: status === undefined ? null : Math.round(status.bytes),
    running: status?.running ?? null,
    waiting: status?.waiting ?? null,
    created_at: serving === null ? null : toTimestamp(serving.createdAt),
  };
}

/** A row that this server does not serve. */
function toFailedGet({ name, model, createdAt }: ModelServing, reason: string | null): ModelServingGet {
  return {
    name,
    model,
    pipeline_id: null,
    tags: [],
    from: 'store',
    state: 'failed',
    reason,
    adapters: [],
    planned_bytes: null,
    running: null,
    waiting: null,
    created_at: toTimestamp(createdAt),
  };
}
