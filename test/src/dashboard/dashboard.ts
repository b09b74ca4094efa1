/** A real server with the embedded model on a fresh data folder, and a browser that opens its dashboard. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before } from 'node:test';
import { fileURLToPath } from 'node:url';
import { PipelineCloud } from '@gptj-cloud/sdk';
import { type RunningServer, type ServeParts, type ServerOptions, serve } from '@gptj-cloud/server';
import { fillDataDir } from '@gptj-cloud/server/testing';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { findChromium, SKIP_WITHOUT_CHROMIUM } from './chromium.ts';
import { watchPages } from './page-checks.ts';

const SITE = fileURLToPath(new URL('../../../apps/dashboard/site', import.meta.url));
const MANUAL = fileURLToPath(new URL('../../../docs', import.meta.url));
const MAX_WAIT_MS = 30_000;
const MAX_PHONE_WIDTH = 599;

const TOKEN = 'dashboard-token-0123456789';
export const OWNER: Account = { email: 'owner@example.com', username: 'owner', password: 'correct horse battery' };

export interface Account {
  readonly email: string;
  readonly username: string;
  readonly password: string;
}

export type Theme = 'light' | 'dark';

export interface View {
  /** Default 1440. */
  readonly width?: number;
  /** Default: `heightOf(width)`. */
  readonly height?: number;
  /** Default light. */
  readonly theme?: Theme;
  /** Who is signed in. Default: no one. */
  readonly as?: Account;
  /** Language of the browser. Default en-GB. */
  readonly locale?: string;
  /** Motion as the user's system asks for. Default: reduced, so that nothing moves while a test looks. */
  readonly reducedMotion?: boolean;
  /** Whether the browser stays open after the test. Default false. */
  readonly isKept?: boolean;
}

export interface DashboardOptions {
  /** Whether the owner's account is set up. Default true; else `setUpLink` does it. */
  readonly ownerExists?: boolean;
  readonly server?: ServerOptions;
  readonly environment?: Readonly<Record<string, string>>;
  /** Whether the folder is empty at the start, as a new user has it. Default false: with an empty store, made once. */
  readonly isFirstStart?: boolean;
  readonly clock?: ServeParts['clock'];
}

/** The height of a window by its width. */
export function heightOf(width: number): number {
  return width <= MAX_PHONE_WIDTH ? 844 : 900;
}

export class Dashboard {
  readonly #server: RunningServer;
  readonly #browser: Browser;
  readonly #folder: string;
  readonly #contexts: BrowserContext[] = [];
  readonly #kept: BrowserContext[] = [];
  readonly #problems: string[] = [];
  #expected: RegExp[] = [];
  /** The lines that the start printed. */
  readonly printed: readonly string[];
  /** The log of the server, lines of JSON. */
  readonly log: readonly string[];
  /** The API with a token of the owner's first project, to prepare and to compare. */
  readonly api: PipelineCloud;

  constructor(
    server: RunningServer,
    browser: Browser,
    folder: string,
    output: { readonly printed: readonly string[]; readonly log: readonly string[] },
  ) {
    this.#server = server;
    this.#browser = browser;
    this.#folder = folder;
    this.printed = output.printed;
    this.log = output.log;
    this.api = new PipelineCloud({ token: TOKEN, url: server.url });
  }

  get url(): string {
    return this.#server.url;
  }

  /** The printed link to set up the owner. */
  get setUpLink(): string {
    const link = /^Set up the owner's account .*: (\S+)$/m.exec(this.printed.join('\n'))?.[1];
    assert.ok(link !== undefined, 'expected a printed set-up link; open the dashboard with ownerExists: false');
    return link;
  }

  /** Open an address in a browser of its own, with cookies and storage of its own. */
  async open(path: string, view: View = {}): Promise<Page> {
    const context = await this.context(view);
    const page = await context.newPage();
    await page.goto(new URL(path, this.url).href);
    return page;
  }

  /** A browser with cookies and storage of its own, signed in as the view names. */
  async context(view: View = {}): Promise<BrowserContext> {
    const { width = 1440, theme = 'light', as, locale = 'en-GB', reducedMotion = true } = view;
    const isPhone = width <= MAX_PHONE_WIDTH;
    const context = await this.#browser.newContext({
      viewport: { width, height: view.height ?? heightOf(width) },
      colorScheme: theme,
      reducedMotion: reducedMotion ? 'reduce' : 'no-preference',
      hasTouch: isPhone,
      // The bar of a scrolled page takes no width there.
      isMobile: isPhone,
      locale,
      timezoneId: 'UTC',
    });
    context.setDefaultTimeout(MAX_WAIT_MS);
    (view.isKept === true ? this.#kept : this.#contexts).push(context);
    await watchPages(context, this.url, (problem) => this.#problems.push(problem));
    if (as !== undefined) await this.signIn(context, as);
    return context;
  }

  /** Give a browser the cookie of a session. */
  async signIn(context: BrowserContext, { username, password }: Account): Promise<void> {
    const data = { login: username, password };
    const reply = await context.request.post(`${this.url}/v2/auth/login`, { data });
    assert.equal(reply.status(), 200, await reply.text());
  }

  /** Create an account by the API. */
  async register(account: Account): Promise<Account> {
    const headers = { 'content-type': 'application/json' };
    const init = { method: 'POST', headers, body: JSON.stringify(account) };
    const reply = await fetch(`${this.url}/v2/auth/register`, init);
    assert.equal(reply.status, 201, await reply.text());
    return account;
  }

  /** Accept a problem that the test causes on purpose. */
  expectProblem(pattern: RegExp): void {
    this.#expected.push(pattern);
  }

  /** Close what a test opened. Fails for a violated policy, a request to another host or an error of a script. */
  async endTest(): Promise<void> {
    await Promise.all(this.#contexts.splice(0).map((context) => context.close()));
    const expected = this.#expected;
    this.#expected = [];
    const problems = this.#problems.splice(0).filter((problem) => !expected.some((pattern) => pattern.test(problem)));
    assert.deepEqual(problems, []);
  }

  async close(): Promise<void> {
    await this.#browser.close();
    await this.#server.close();
    await rm(this.#folder, { recursive: true, force: true });
  }
}

/** Start a server and a browser. The caller closes them. */
export async function openDashboard(options: DashboardOptions = {}): Promise<Dashboard> {
  const executablePath = findChromium();
  assert.ok(executablePath !== null, String(SKIP_WITHOUT_CHROMIUM));
  assert.ok(existsSync(join(SITE, 'site.json')), `no dashboard in ${SITE}: build it by node apps/dashboard/build.mjs`);
  const folder = await mkdtemp(join(tmpdir(), 'gptj-dashboard-'));
  const printed: string[] = [];
  const log: string[] = [];
  const { ownerExists = true, environment = {}, isFirstStart = false, clock } = options;
  if (!isFirstStart) await fillDataDir(folder);
  const owner = {
    GPTJ_OWNER_EMAIL: OWNER.email,
    GPTJ_OWNER_USERNAME: OWNER.username,
    GPTJ_OWNER_PASSWORD: OWNER.password,
  };
  const server = await serve(
    { port: 0, dataDir: folder, apiToken: TOKEN, ...options.server },
    {
      environment: { ...(ownerExists ? owner : {}), ...environment },
      print: (line) => printed.push(line),
      log: (line) => log.push(line),
      terminal: { print: true, log: false, colours: false },
      dashboardDir: SITE,
      manualDir: MANUAL,
      ...(clock === undefined ? {} : { clock }),
    },
  );
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'] });
  return new Dashboard(server, browser, folder, { printed, log });
}

/**
 * One server and one browser for the tests of a file. Every test closes its pages, and fails for a problem on one of them.
 * Tests take `skip: SKIP_WITHOUT_CHROMIUM`.
 */
export function useDashboard(options: DashboardOptions = {}): () => Dashboard {
  let dashboard: Dashboard | undefined;
  before(async () => {
    if (SKIP_WITHOUT_CHROMIUM === false) dashboard = await openDashboard(options);
  });
  afterEach(async () => {
    await dashboard?.endTest();
  });
  after(async () => {
    await dashboard?.close();
  });
  return () => {
    assert.ok(dashboard !== undefined, 'the dashboard is open while a test runs');
    return dashboard;
  };
}
