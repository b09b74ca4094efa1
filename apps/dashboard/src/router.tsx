/** All addresses of the dashboard. Every page is a chunk of its own. */
import type { QueryClient } from '@tanstack/react-query';
import {
  createRootRouteWithContext,
  createRoute,
  createRouter,
  lazyRouteComponent,
  redirect,
  retainSearchParams,
} from '@tanstack/react-router';
import { readAuditSearch } from './admin/audit-search.ts';
import { readUsersSearch } from './admin/users-search.ts';
import { selectProject } from './api/cloud.ts';
import { serverQuery } from './api/server.ts';
import { sessionQuery } from './api/session.ts';
import { readComparisonSearch } from './evaluations/comparison-search.ts';
import { readEvaluationSearch } from './evaluations/evaluation-search.ts';
import { readPlaygroundSearch } from './playground/playground-search.ts';
import { readRunSearch } from './runs/run-search.ts';
import { readRunsSearch } from './runs/runs-search.ts';
import { Root } from './shell/root.tsx';
import { RouteFailure, UnknownPage } from './shell/route-states.tsx';
import { defined, type RawSearch, textIn } from './ui/search-values.ts';
import { readUsageSearch } from './usage/usage-search.ts';

interface RouterContext {
  readonly queries: QueryClient;
}

const root = createRootRouteWithContext<RouterContext>()({
  component: Root,
  notFoundComponent: UnknownPage,
  errorComponent: RouteFailure,
  // The project of the page; absent: the first project of the account.
  validateSearch: (raw: RawSearch): { readonly project?: string | undefined } =>
    defined({ project: textIn(raw, 'project') }),
  search: { middlewares: [retainSearchParams(['project'])] },
  async beforeLoad({ context: { queries }, search, location, matches }) {
    if (selectProject(search.project ?? null)) {
      // Replies of the former project would be shown for a moment.
      queries.removeQueries({ predicate: ({ queryKey }) => !PROJECT_FREE.has(String(queryKey[0])) });
    }
    if (matches.some(({ staticData }) => staticData.isPublic)) return;
    const [session] = await Promise.all([
      queries.ensureQueryData(sessionQuery),
      // The bar of maintenance would move a page that is shown before it. A late reply or a failure hides no page.
      Promise.race([queries.ensureQueryData(serverQuery).catch(() => undefined), pause(MAX_SERVER_WAIT_MS)]),
    ]);
    if (session === null) throw redirect({ to: '/login', search: { to: location.href }, replace: true });
  },
});

/** How long the first page waits for the state of the server. */
const MAX_SERVER_WAIT_MS = 500;

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** First parts of keys whose replies are the same in every project. */
const PROJECT_FREE = new Set(['session', 'server', 'projects', 'invitations', 'health', 'parameters']);

const publicPage = { isPublic: true } as const;

const login = createRoute({
  getParentRoute: () => root,
  path: '/login',
  staticData: publicPage,
  // `to`: the page that asked for the sign-in.
  validateSearch: (raw: RawSearch): { readonly to?: string } => defined({ to: textIn(raw, 'to') }),
  component: lazyRouteComponent(() => import('./sign-in/login-page.tsx'), 'LoginPage'),
});

const register = createRoute({
  getParentRoute: () => root,
  path: '/register',
  staticData: publicPage,
  component: lazyRouteComponent(() => import('./sign-in/register-page.tsx'), 'RegisterPage'),
});

const forgotPassword = createRoute({
  getParentRoute: () => root,
  path: '/forgot-password',
  staticData: publicPage,
  component: lazyRouteComponent(() => import('./sign-in/forgot-password-page.tsx'), 'ForgotPasswordPage'),
});

const resetPassword = createRoute({
  getParentRoute: () => root,
  path: '/reset-password',
  staticData: publicPage,
  component: lazyRouteComponent(() => import('./sign-in/reset-password-page.tsx'), 'ResetPasswordPage'),
});

const verifyEmail = createRoute({
  getParentRoute: () => root,
  path: '/verify-email',
  staticData: publicPage,
  component: lazyRouteComponent(() => import('./sign-in/verify-email-page.tsx'), 'VerifyEmailPage'),
});

const changeEmail = createRoute({
  getParentRoute: () => root,
  path: '/change-email',
  staticData: publicPage,
  component: lazyRouteComponent(() => import('./sign-in/change-email-page.tsx'), 'ChangeEmailPage'),
});

const setUp = createRoute({
  getParentRoute: () => root,
  path: '/set-up',
  staticData: publicPage,
  component: lazyRouteComponent(() => import('./sign-in/set-up-page.tsx'), 'SetUpPage'),
});

const twoFactor = createRoute({
  getParentRoute: () => root,
  path: '/two-factor',
  staticData: publicPage,
  component: lazyRouteComponent(() => import('./sign-in/two-factor-page.tsx'), 'TwoFactorPage'),
});

const home = createRoute({
  getParentRoute: () => root,
  path: '/',
  staticData: { title: 'Home' },
  component: lazyRouteComponent(() => import('./home/home-page.tsx'), 'HomePage'),
});

const playground = createRoute({
  getParentRoute: () => root,
  path: '/playground',
  staticData: { title: 'Playground', isFull: true },
  validateSearch: readPlaygroundSearch,
  component: lazyRouteComponent(() => import('./playground/playground-page.tsx'), 'PlaygroundPage'),
});

const runs = createRoute({
  getParentRoute: () => root,
  path: '/runs',
  staticData: { title: 'Runs' },
  validateSearch: readRunsSearch,
  component: lazyRouteComponent(() => import('./runs/runs-page.tsx'), 'RunsPage'),
});

const run = createRoute({
  getParentRoute: () => root,
  path: '/runs/$runId',
  staticData: { title: 'Run', parent: { title: 'Runs', to: '/runs' } },
  validateSearch: readRunSearch,
  component: lazyRouteComponent(() => import('./runs/run-page.tsx'), 'RunPage'),
});

const usage = createRoute({
  getParentRoute: () => root,
  path: '/usage',
  staticData: { title: 'Usage' },
  validateSearch: readUsageSearch,
  component: lazyRouteComponent(() => import('./usage/usage-page.tsx'), 'UsagePage'),
});

const pipelines = createRoute({
  getParentRoute: () => root,
  path: '/pipelines',
  staticData: { title: 'Pipelines' },
  component: lazyRouteComponent(() => import('./pipelines/pipelines-page.tsx'), 'PipelinesPage'),
});

const pipeline = createRoute({
  getParentRoute: () => root,
  path: '/pipelines/$pipelineId',
  staticData: { title: 'Pipeline', parent: { title: 'Pipelines', to: '/pipelines' } },
  component: lazyRouteComponent(() => import('./pipelines/pipeline-page.tsx'), 'PipelinePage'),
});

const evaluations = createRoute({
  getParentRoute: () => root,
  path: '/evaluations',
  staticData: { title: 'Evaluations' },
  component: lazyRouteComponent(() => import('./evaluations/evaluations-page.tsx'), 'EvaluationsPage'),
});

const evaluation = createRoute({
  getParentRoute: () => root,
  path: '/evaluations/$evaluationId',
  staticData: { title: 'Evaluation', parent: { title: 'Evaluations', to: '/evaluations' } },
  validateSearch: readEvaluationSearch,
  component: lazyRouteComponent(() => import('./evaluations/evaluation-page.tsx'), 'EvaluationPage'),
});

const comparison = createRoute({
  getParentRoute: () => root,
  path: '/evaluations/compare',
  staticData: { title: 'Compare', parent: { title: 'Evaluations', to: '/evaluations' } },
  validateSearch: readComparisonSearch,
  component: lazyRouteComponent(() => import('./evaluations/comparison-page.tsx'), 'ComparisonPage'),
});

const tokens = createRoute({
  getParentRoute: () => root,
  path: '/tokens',
  staticData: { title: 'API tokens' },
  component: lazyRouteComponent(() => import('./tokens/tokens-page.tsx'), 'TokensPage'),
});

const webhooks = createRoute({
  getParentRoute: () => root,
  path: '/webhooks',
  staticData: { title: 'Webhooks' },
  component: lazyRouteComponent(() => import('./webhooks/webhooks-page.tsx'), 'WebhooksPage'),
});

const webhook = createRoute({
  getParentRoute: () => root,
  path: '/webhooks/$webhookId',
  staticData: { title: 'Webhook', parent: { title: 'Webhooks', to: '/webhooks' } },
  validateSearch: (raw: RawSearch): { readonly state?: string } => defined({ state: textIn(raw, 'state') }),
  component: lazyRouteComponent(() => import('./webhooks/webhook-page.tsx'), 'WebhookPage'),
});

const members = createRoute({
  getParentRoute: () => root,
  path: '/members',
  staticData: { title: 'Members' },
  component: lazyRouteComponent(() => import('./members/members-page.tsx'), 'MembersPage'),
});

const plan = createRoute({
  getParentRoute: () => root,
  path: '/plan',
  staticData: { title: 'Plan' },
  // `checkout`: how the payment page sent the user back.
  validateSearch: (raw: RawSearch): { readonly checkout?: string } => defined({ checkout: textIn(raw, 'checkout') }),
  component: lazyRouteComponent(() => import('./plan/plan-page.tsx'), 'PlanPage'),
});

const account = createRoute({
  getParentRoute: () => root,
  path: '/account',
  staticData: { title: 'Account' },
  component: lazyRouteComponent(() => import('./account/account-page.tsx'), 'AccountPage'),
});

const inAccount = { parent: { title: 'Account', to: '/account' } } as const;

const security = createRoute({
  getParentRoute: () => root,
  path: '/account/security',
  staticData: { title: 'Security', ...inAccount },
  component: lazyRouteComponent(() => import('./account/security-page.tsx'), 'SecurityPage'),
});

const sessions = createRoute({
  getParentRoute: () => root,
  path: '/account/sessions',
  staticData: { title: 'Sessions', ...inAccount },
  component: lazyRouteComponent(() => import('./account/sessions-page.tsx'), 'SessionsPage'),
});

const admin = createRoute({
  getParentRoute: () => root,
  path: '/admin',
  staticData: { title: 'Admin' },
  component: lazyRouteComponent(() => import('./admin/overview-page.tsx'), 'OverviewPage'),
});

const inAdmin = { parent: { title: 'Admin', to: '/admin' } } as const;

const adminUsers = createRoute({
  getParentRoute: () => root,
  path: '/admin/users',
  staticData: { title: 'Users', ...inAdmin },
  validateSearch: readUsersSearch,
  component: lazyRouteComponent(() => import('./admin/users-page.tsx'), 'UsersPage'),
});

const adminQueue = createRoute({
  getParentRoute: () => root,
  path: '/admin/queue',
  staticData: { title: 'Queue', ...inAdmin },
  component: lazyRouteComponent(() => import('./admin/queue-page.tsx'), 'QueuePage'),
});

const adminPlans = createRoute({
  getParentRoute: () => root,
  path: '/admin/plans',
  staticData: { title: 'Plans', ...inAdmin },
  component: lazyRouteComponent(() => import('./admin/plans-page.tsx'), 'PlansPage'),
});

const adminAudit = createRoute({
  getParentRoute: () => root,
  path: '/admin/audit',
  staticData: { title: 'Audit log', ...inAdmin },
  validateSearch: readAuditSearch,
  component: lazyRouteComponent(() => import('./admin/audit-page.tsx'), 'AuditPage'),
});

const adminModels = createRoute({
  getParentRoute: () => root,
  path: '/admin/models',
  staticData: { title: 'Models', ...inAdmin },
  component: lazyRouteComponent(() => import('./admin/models-page.tsx'), 'ModelsPage'),
});

const adminServer = createRoute({
  getParentRoute: () => root,
  path: '/admin/server',
  staticData: { title: 'Server', ...inAdmin },
  component: lazyRouteComponent(() => import('./admin/server-page.tsx'), 'ServerPage'),
});

/** All parts of ui/ on one page, in the development server only. */
const parts = createRoute({
  getParentRoute: () => root,
  path: '/ui',
  staticData: publicPage,
  component: lazyRouteComponent(() => import('./ui/parts-page.tsx'), 'PartsPage'),
});

const routeTree = root.addChildren([
  login,
  register,
  forgotPassword,
  resetPassword,
  verifyEmail,
  changeEmail,
  setUp,
  twoFactor,
  home,
  playground,
  runs,
  run,
  usage,
  pipelines,
  pipeline,
  evaluations,
  evaluation,
  comparison,
  tokens,
  webhooks,
  webhook,
  members,
  plan,
  account,
  security,
  sessions,
  admin,
  adminUsers,
  adminQueue,
  adminPlans,
  adminAudit,
  adminModels,
  adminServer,
  ...(import.meta.env.DEV ? [parts] : []),
]);

export function createDashboardRouter(queries: QueryClient) {
  return createRouter({ routeTree, context: { queries }, defaultPreload: 'intent', scrollRestoration: true });
}

declare module '@tanstack/react-router' {
  interface Register {
    router: ReturnType<typeof createDashboardRouter>;
  }

  interface StaticDataRouteOption {
    /** For the breadcrumb. */
    readonly title?: string;
    readonly parent?: {
      readonly title: string;
      readonly to: '/runs' | '/pipelines' | '/evaluations' | '/webhooks' | '/account' | '/admin';
    };
    /** Shown without a session, outside the shell. */
    readonly isPublic?: boolean;
    /** The page fills the window below the top bar and scrolls inside itself. */
    readonly isFull?: boolean;
  }
}
