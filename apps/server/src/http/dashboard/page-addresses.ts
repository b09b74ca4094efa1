/** The addresses of the dashboard, in one place: the server answers them with its shell, and its router has a page for each. */

/** First segments of pages. None may begin an address of the API. `''` is Home. */
export const PAGE_SEGMENTS: readonly string[] = [
  '',
  'login',
  'register',
  'forgot-password',
  'reset-password',
  'verify-email',
  'change-email',
  'set-up',
  'two-factor',
  'playground',
  'runs',
  'usage',
  'pipelines',
  'evaluations',
  'tokens',
  'webhooks',
  'members',
  'plan',
  'account',
  'admin',
];

/** The pages that do what a POST to an address of the API does, for a browser in which a person opens that address. */
export const PAGE_OF_ACTION: Readonly<Record<string, string>> = {
  '/v2/auth/login': '/login',
  '/v2/auth/register': '/register',
  '/v2/auth/forgot-password': '/forgot-password',
};

/** The pages that replace the ones of the API's links. Browsers keep the fragment, which carries the link's secret. */
export const PAGE_OF_LINK: Readonly<Record<string, string>> = {
  '/v2/auth/set-up': '/set-up',
  '/v2/auth/verify-email': '/verify-email',
  '/v2/auth/reset-password': '/reset-password',
  '/v2/auth/change-email': '/change-email',
  '/v2/auth/oauth-code': '/two-factor',
  '/v2/auth/signed-in': '/',
  '/v2/auth/linked': '/account/security',
};
