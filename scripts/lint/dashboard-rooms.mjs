// The import law of apps/dashboard/src. Pages do not know one another: what two of them share is in ui/ or api/.

const PAGES = [
  'sign-in',
  'home',
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

/** `holds` are folders or files below src. `mayImport` names other rooms; a room may import itself. */
export const DASHBOARD_ROOMS = [
  { name: 'main', holds: ['main.tsx'], mayImport: ['router', 'shell', 'api', 'ui'] },
  { name: 'router', holds: ['router.tsx'], mayImport: ['shell', ...PAGES, 'api', 'ui'] },
  { name: 'shell', holds: ['shell'], mayImport: ['api', 'ui'] },
  ...PAGES.map((page) => ({ name: page, holds: [page], mayImport: ['api', 'ui'] })),
  { name: 'api', holds: ['api'], mayImport: ['ui'] },
  { name: 'ui', holds: ['ui'], mayImport: [] },
  // Helpers of tests, which pages do not import.
  { name: 'testing', holds: ['testing'], mayImport: [...PAGES, 'api', 'ui'] },
];

/** Packages of this project that pages may import, for their values or for their types alone. */
export const DASHBOARD_PACKAGES = new Map([
  ['@gptj-cloud/sdk', 'values'],
  ['@gptj-cloud/decoding', 'values'],
  ['@gptj-cloud/model', 'values'],
  ['@gptj-cloud/protocol', 'types'],
]);
