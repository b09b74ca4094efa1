// The import law of apps/server/src: one record per room. Rooms import only lower rooms; a lower room that needs a higher one
// declares a port (an interface), which compose.ts implements.

/** Leaves that every room may import. */
const LEAVES = ['telemetry', 'version', 'config-error', 'network-address', 'within'];
const FEATURES = ['runs', 'webhooks', 'evaluations', 'generation', 'metering', 'identity', 'audit'];

/**
 * `holds` are folders, or files by their whole path below src. `mayImport` names other rooms besides LEAVES, null means
 * any; a room may import itself.
 */
export const SERVER_ROOMS = [
  { name: 'door', holds: ['index.ts'], mayImport: ['main', 'config', 'store'] },
  {
    name: 'main',
    holds: ['main.ts', 'start', 'embedded-model.ts', 'worker-main.ts'],
    mayImport: ['compose', 'app', 'api', 'config', ...FEATURES, 'http', 'workers', 'store'],
  },
  {
    name: 'compose',
    holds: ['compose.ts', 'compose-models.ts', 'compose-upkeep.ts', 'readiness.ts', 'read-jobs.ts'],
    mayImport: ['app', 'api', 'config', ...FEATURES, 'http', 'workers', 'store'],
  },
  // Only main and compose import it: every other room is passed the values that it needs.
  { name: 'config', holds: ['config'], mayImport: [...FEATURES, 'http', 'store'] },
  { name: 'app', holds: ['app.ts'], mayImport: ['api', ...FEATURES, 'http', 'workers', 'store'] },
  { name: 'api', holds: ['api'], mayImport: [...FEATURES, 'http', 'workers'] },
  { name: 'runs', holds: ['runs'], mayImport: ['generation', 'metering', 'identity', 'audit', 'store'] },
  { name: 'webhooks', holds: ['webhooks'], mayImport: ['audit', 'store'] },
  { name: 'evaluations', holds: ['evaluations'], mayImport: ['metering', 'identity', 'audit', 'store'] },
  { name: 'generation', holds: ['generation'], mayImport: ['metering', 'identity', 'audit', 'workers', 'store'] },
  { name: 'metering', holds: ['metering'], mayImport: ['identity', 'audit', 'store'] },
  { name: 'identity', holds: ['identity'], mayImport: ['audit', 'store'] },
  { name: 'audit', holds: ['audit'], mayImport: ['store'] },
  { name: 'http', holds: ['http'], mayImport: [] },
  { name: 'workers', holds: ['workers'], mayImport: [] },
  { name: 'store', holds: ['store'], mayImport: [] },
  { name: 'telemetry', holds: ['telemetry'], mayImport: [] },
  { name: 'version', holds: ['server-version.ts'], mayImport: [] },
  { name: 'config-error', holds: ['config-error.ts'], mayImport: [] },
  { name: 'network-address', holds: ['network-address.ts'], mayImport: [] },
  { name: 'within', holds: ['within.ts'], mayImport: [] },
  // Test helpers may import any room; production code does not import them.
  { name: 'testing', holds: ['testing'], mayImport: null },
].map((room) => ({ ...room, mayImport: room.mayImport && [...room.mayImport, ...LEAVES] }));

/** Packages that only some paths may import. `from` are paths below src. */
export const PACKAGE_RULES = [
  {
    packages: /^(?:hono|@hono\/[^/]+)(?:\/|$)/,
    from: /^(?:api|http)\/|^app\.ts$/,
    law: 'only api/, http/ and app.ts know Hono',
    remedy: 'take values as arguments and return values; let a route translate them',
  },
  {
    packages: /^(?:pg|@electric-sql\/pglite|drizzle-orm\/(?:node-postgres|pglite))(?:\/|$)/,
    from: /^store\//,
    law: 'only store/ opens a database',
    remedy: 'take a Database or a transaction as an argument',
  },
];

/** Files that store/ may import although other rooms own them: the tables, to compare them with the migrations. */
export const SCHEMA_LIST = 'store/schema.ts';
