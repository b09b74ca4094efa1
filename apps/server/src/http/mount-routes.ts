import { ApiError, apiErrorOf } from '@gptj-cloud/protocol';
import type { Context, Hono } from 'hono';
import type { Logger } from '../telemetry/logger.ts';
import type { ErrorDialect } from './error-dialect.ts';
import { errorReply } from './error-reply.ts';
import type { HttpEnv } from './http-env.ts';
import { serveWithLoad } from './load/current-load.ts';
import type { LoadControl, RequestLoad } from './load/request-load.ts';
import type { Operation } from './openapi/operation.ts';
import { checkBounds } from './request-bounds.ts';
import type { Access, Route } from './route.ts';

export interface MountOptions<Guard> {
  readonly guard: Guard;
  /** Access to the answer that an address or a method is unknown, by the dialect of that answer. */
  readonly unknownAccess: (errors: ErrorDialect) => Access<Guard, object>;
  /** For unknown addresses that share no beginning with a route. */
  readonly errors: ErrorDialect;
  readonly logger: Logger;
  readonly loads: LoadControl;
  /** A request to a route was refused after its project was known. Default: nothing. */
  readonly onRefusal?: (route: Operation, projectId: string, code: string) => void;
}

/**
 * Register the routes. A known address with another method gets 405 and `Allow`, an unknown address 404, both after
 * authorisation. Throws for two routes with the same method and path.
 */
export function mountRoutes<Guard>(
  app: Hono<HttpEnv>,
  routes: readonly Route<Guard>[],
  { guard, unknownAccess, errors, logger, loads, onRefusal }: MountOptions<Guard>,
): void {
  const reply = async (
    c: Context<HttpEnv>,
    dialect: ErrorDialect,
    work: () => Promise<Response>,
    isProbe = false,
  ): Promise<Response> => {
    let load: RequestLoad | undefined;
    const checked = async (): Promise<Response> => {
      try {
        checkBounds(c.req.raw);
        return await work();
      } catch (error) {
        return errorReply(error, { errors: dialect, requestId: c.get('requestId'), logger });
      }
    };
    c.set('isPolled', isProbe);
    try {
      load = loads.arrive({ address: c.get('clientAddress') ?? '', credential: credentialOf(c), isProbe });
    } catch (error) {
      return errorReply(error, { errors: dialect, requestId: c.get('requestId'), logger });
    }
    const { end } = load;
    c.set('load', load);
    const peer = c.env?.peer;
    // A client that disconnects does not end the work of its request.
    let isLeft = peer?.onReplyEnd === undefined;
    let isHandled = false;
    peer?.onReplyEnd?.(() => {
      isLeft = true;
      if (isHandled) end();
    });
    const response = await serveWithLoad(load, async () => {
      const served = await checked();
      await addLimits(c, served);
      return served;
    });
    isHandled = true;
    load.settle(response.status);
    if (isLeft) end();
    return response;
  };
  const refuse = (c: Context<HttpEnv>, dialect: ErrorDialect, code: 'method_not_allowed' | 'route_unknown') =>
    reply(c, dialect, async () => {
      await unknownAccess(dialect).authorize(guard, c);
      throw new ApiError(code, { method: c.req.method, path: c.req.path.slice(0, 200) });
    });

  const byPath = new Map<string, Map<string, Route<Guard>>>();
  for (const route of routes) {
    const method = route.method.toUpperCase();
    const methods = byPath.get(route.path) ?? new Map<string, Route<Guard>>();
    if (methods.has(method)) throw new Error(`two routes for ${method} ${route.path}`);
    byPath.set(route.path, methods.set(method, route));
    const serve = async (c: Context<HttpEnv>): Promise<Response> => {
      try {
        return await route.serve(guard, c);
      } catch (error) {
        const projectId = c.get('projectId');
        if (projectId !== undefined) onRefusal?.(route, projectId, apiErrorOf(error)?.code ?? 'internal');
        throw error;
      }
    };
    app.on(method, route.path, (c) => reply(c, route.errors, () => serve(c), route.isProbe));
  }
  for (const [path, methods] of byPath) {
    const dialects = new Set([...methods.values()].map((route) => route.errors));
    const [dialect = errors] = dialects.size === 1 ? dialects : [];
    const allow = [...methods.keys(), ...(methods.has('GET') ? ['HEAD'] : [])].join(', ');
    app.all(path, async (c) => {
      const refusal = await refuse(c, dialect, 'method_not_allowed');
      if (refusal.status === 405) refusal.headers.set('Allow', allow);
      return refusal;
    });
  }
  app.notFound((c) => refuse(c, nearestRoute(routes, c.req.path)?.errors ?? errors, 'route_unknown'));
}

/** Statuses of requests that a limit refuses. */
const LIMIT_STATUSES: ReadonlySet<number> = new Set([402, 429]);

/** Add the headers that tell what is left of the limits. A store that cannot tell does not break a reply. */
async function addLimits(c: Context<HttpEnv>, response: Response): Promise<void> {
  const read = c.get('limitHeaders');
  if (read === undefined || (response.status >= 400 && !LIMIT_STATUSES.has(response.status))) return;
  const headers = await read().catch(() => ({}));
  for (const [name, value] of Object.entries(headers)) response.headers.set(name, value);
}

/** The route that shares the most leading segments with a path; undefined when none shares the first. */
function nearestRoute<Guard>(routes: readonly Route<Guard>[], path: string): Route<Guard> | undefined {
  const segments = segmentsOf(path);
  let nearest: Route<Guard> | undefined;
  let longest = 0;
  for (const route of routes) {
    const known = segmentsOf(route.path);
    const differs = known.findIndex((segment, at) => segment !== segments[at]);
    const shared = differs === -1 ? known.length : differs;
    if (shared > longest) [nearest, longest] = [route, shared];
  }
  return nearest;
}

function segmentsOf(path: string): readonly string[] {
  return path.split('/').filter((segment) => segment !== '');
}

/** What authenticates the request; the guard prefers the header. */
function credentialOf(c: Context<HttpEnv>): string | undefined {
  return c.req.header('authorization') ?? c.req.header('cookie');
}
