import type { PipelineCloudOptions } from './client-options.ts';
import { remove } from './exchange.ts';
import type { CallOptions } from './options.ts';
import { type Admin, createAdmin } from './resources/admin.ts';
import { type Auth, createAuth } from './resources/auth.ts';
import { createEngineReports, type EngineReports } from './resources/engine.ts';
import { createEvaluations, type Evaluations } from './resources/evaluations.ts';
import { createDataSets, createFiles, type DataSets, type Files } from './resources/files.ts';
import { createLimitReports, type LimitReports } from './resources/limits.ts';
import { createMetrics, type Metrics } from './resources/metrics.ts';
import { createModels, type Models } from './resources/models.ts';
import { createPipelines, createPipelineTags, type Pipelines, type PipelineTags } from './resources/pipelines.ts';
import { createPlans, type Plans } from './resources/plans.ts';
import { createPresets, type Presets } from './resources/presets.ts';
import { createInvitations, createProjects, type Invitations, type Projects } from './resources/projects.ts';
import { createRuns, type Runs } from './resources/runs.ts';
import { createServerReports, type ServerReports } from './resources/server.ts';
import { createTextTokens, type TextTokens } from './resources/tokenizer.ts';
import { createTokens, type Tokens } from './resources/tokens.ts';
import { createUsageReports, type UsageReports } from './resources/usage.ts';
import { createUsers, type Users } from './resources/users.ts';
import { createWebhooks, type Webhooks } from './resources/webhooks.ts';
import { endpointOf, RunClient } from './run-client.ts';
import { createSessionAccess, type SessionAccess } from './session-access.ts';

/**
 * Client of a gptj-cloud server. The constructor sends nothing, and a client holds no resource that needs closing.
 *
 * ```ts
 * const api = new PipelineCloud(); // reads PIPELINE_API_TOKEN and PIPELINE_API_URL
 * const text = await api.generate('I met a traveller from an antique land, who said', { max_new_tokens: 64 });
 * ```
 *
 * Every method rejects with a subclass of `PipelineApiError`. Every method takes a `signal`. Lists return a {@link PagePromise}.
 */
export class PipelineCloud extends RunClient {
  readonly tokens: Tokens;
  readonly usage: UsageReports;
  readonly plans: Plans;
  readonly limits: LimitReports;
  readonly metrics: Metrics;
  readonly files: Files;
  readonly data: DataSets;
  readonly webhooks: Webhooks;
  readonly projects: Projects;
  readonly invitations: Invitations;
  readonly users: Users;
  readonly admin: Admin;
  /** Models in the data folder of the server. */
  readonly models: Models;
  readonly pipelines: Pipelines;
  readonly tags: PipelineTags;
  /** Lists of runs without their results, and the inputs of runs. */
  readonly runs: Runs;
  readonly engine: EngineReports;
  readonly server: ServerReports;
  readonly presets: Presets;
  /** Reports of `gptj eval`. */
  readonly evaluations: Evaluations;
  readonly text: TextTokens;
  /** Sign-in, registration and the security of the own account, for clients with a session. */
  readonly auth: Auth;
  readonly #options: PipelineCloudOptions;
  readonly #session: SessionAccess | null;

  /**
   * Throws `TypeError` for an invalid address, token, time or number of retries, and when there is no token. `parent` is a client
   * whose session this one shares, see {@link withProject}.
   */
  constructor(options: PipelineCloudOptions = {}, parent?: PipelineCloud) {
    const session =
      options.session === true ? ((parent === undefined ? null : parent.#session) ?? createSessionAccess()) : null;
    super(options, session ?? undefined);
    this.#options = options;
    this.#session = session;
    const endpoint = endpointOf(this);
    this.tokens = createTokens(endpoint);
    this.usage = createUsageReports(endpoint);
    this.plans = createPlans(endpoint);
    this.limits = createLimitReports(endpoint);
    this.metrics = createMetrics(endpoint);
    this.files = createFiles(endpoint);
    this.data = createDataSets(endpoint);
    this.webhooks = createWebhooks(endpoint);
    this.projects = createProjects(endpoint);
    this.invitations = createInvitations(endpoint);
    this.users = createUsers(endpoint);
    this.admin = createAdmin(endpoint);
    this.models = createModels(endpoint);
    this.pipelines = createPipelines(endpoint);
    this.tags = createPipelineTags(endpoint);
    this.runs = createRuns(endpoint);
    this.engine = createEngineReports(endpoint);
    this.server = createServerReports(endpoint);
    this.presets = createPresets(endpoint);
    this.evaluations = createEvaluations(endpoint);
    this.text = createTextTokens(endpoint);
    this.auth = createAuth(endpoint, session);
  }

  /**
   * A client with the same session that acts in another project, by default the user's first one. It costs nothing. Throws
   * `TypeError` for a client with a token, which belongs to one project.
   */
  withProject(projectId: string | null): PipelineCloud {
    if (this.#options.session !== true)
      throw new TypeError('expected a client with a session: a token has one project');
    return new PipelineCloud({ ...this.#options, projectId }, this);
  }

  /** Delete a file. Throws `ConflictError` for one that is data or the result of a run. */
  async deleteFile(fileId: string, options: CallOptions = {}): Promise<void> {
    await remove(endpointOf(this), `/v2/files/${encodeURIComponent(fileId)}`, options);
  }

  /** Delete data and their file. Throws `ConflictError` for data that are the input of a run. */
  async deleteData(dataId: string, options: CallOptions = {}): Promise<void> {
    await remove(endpointOf(this), `/v2/data/${encodeURIComponent(dataId)}`, options);
  }
}
