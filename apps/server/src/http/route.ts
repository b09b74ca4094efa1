/**
 * One record per route, from which registration, authorisation, validation, the error dialect, 405 and the reference are
 * derived. This file imports no feature: `api/` passes the guard behind `access` and the dialects.
 */
import type { Context } from 'hono';
import { acceptsGzip } from './compression.ts';
import type { ErrorDialect } from './error-dialect.ts';
import type { HttpEnv } from './http-env.ts';
import { compressedJsonReply, jsonReply, type Respond } from './json-reply.ts';
import type { Content, Method, Operation, Replies, ReplyBody, SecurityScheme } from './openapi/operation.ts';
import { type ParameterSet, type ParameterValues, readParameters } from './parameter.ts';
import { type RequestContext, requestContext } from './request-context.ts';

/** Who may send a request. `Guard` checks it; `Grant` is the result of the check for the handler, such as the principal. */
export interface Access<Guard, Grant extends object> {
  /** Any one of these is enough; empty for a public route. */
  readonly security: readonly SecurityScheme[];
  /** A sentence for the reference. */
  readonly note?: string;
  /** For load balancers: other requests of their address do not stop it. */
  readonly isProbe?: boolean;
  /** Throws an `ApiError` to refuse. */
  readonly authorize: (guard: Guard, c: Context<HttpEnv>) => Promise<Grant>;
}

/** The body of a request: its description, and the function that reads and validates it. */
export interface RequestBody<Value> {
  readonly content: readonly Content[];
  readonly read: (request: Request) => Promise<Value>;
  /** Called when the handler has ended, also with an error: reads the rest of a body that `read` left to the handler. */
  readonly end?: (value: Value) => Promise<void>;
}

type SegmentName<Segment> = Segment extends `:${infer Name}{${string}`
  ? Name
  : Segment extends `:${infer Name}`
    ? Name
    : never;
type PathName<Path> = Path extends `${infer Segment}/${infer Rest}`
  ? SegmentName<Segment> | PathName<Rest>
  : SegmentName<Path>;
/** Values of the `:name` segments of a path. */
export type PathValues<Path> = { readonly [Name in PathName<Path>]: string };

/** A request that passed authorisation and validation. */
export type RouteInput<Path, Grant, Parameters extends ParameterSet, Body> = Grant & {
  readonly request: RequestContext;
  readonly path: PathValues<Path>;
  readonly parameters: ParameterValues<Parameters>;
  readonly body: Body;
};

export interface RouteRecord<
  Guard,
  Grant extends object,
  Path extends string,
  Parameters extends ParameterSet,
  Body,
  Described extends Replies,
> {
  readonly method: Method;
  /** As the router writes it: `/v2/runs/:id`, or `/v1/models/:name{.+}` for a name with slashes. */
  readonly path: Path;
  readonly access: Access<Guard, Grant>;
  readonly errors: ErrorDialect;
  /** Section of the reference. */
  readonly tag: string;
  readonly summary: string;
  readonly description?: string;
  readonly parameters?: Parameters;
  readonly body?: RequestBody<Body>;
  /** A JSON body that the route accepts, for the reference. A test requires it where the body is JSON. */
  readonly bodyExample?: unknown;
  /**
   * The reply contains a secret, and is never compressed: its length would give away whether text that another site chose
   * occurs in the secret.
   */
  readonly holdsSecret?: boolean;
  /** By status. Errors need not be listed: every route has them. */
  readonly replies: Described;
  /** Returns the JSON of the reply with the lowest status below 300, nothing for a reply without a body, or a response. */
  readonly handle: (
    input: RouteInput<Path, Grant, Parameters, Body>,
    c: Context<HttpEnv>,
  ) => HandlerResult<Described> | Promise<HandlerResult<Described>>;
}

type HandlerResult<Described extends Replies> = Response | ReplyBody<Described[keyof Described]>;

/** A route as the router and the reference use it. */
export interface Route<Guard> extends Operation {
  readonly isProbe: boolean;
  readonly errors: ErrorDialect;
  readonly serve: (guard: Guard, c: Context<HttpEnv>) => Promise<Response>;
}

/** For the reference, and for the test that every reply with a secret is marked. */
const SECRET_NOTE = 'The reply is never compressed, as it may hold a secret.';

const SUCCESS = [200, 201, 202, 204] as const;

/** Define a route. The handler runs after authorisation, parameters and body, in this order. */
export function defineRoute<
  Guard,
  Grant extends object,
  const Path extends string,
  Described extends Replies,
  Parameters extends ParameterSet = Record<never, never>,
  Body = undefined,
>(record: RouteRecord<Guard, Grant, Path, Parameters, Body, Described>): Route<Guard> {
  const { method, path, access, errors, tag, summary, description, parameters, body, bodyExample, replies, handle } =
    record;
  const { holdsSecret = false } = record;
  const status = SUCCESS.find((each) => replies[each] !== undefined) ?? 200;
  const note = access.note;
  const texts = [description, note, holdsSecret ? SECRET_NOTE : undefined].filter((text) => text !== undefined);
  return {
    method,
    path,
    errors,
    isProbe: access.isProbe ?? false,
    tag,
    summary,
    ...(texts.length === 0 ? {} : { description: texts.join(' ') }),
    security: access.security,
    parameters: Object.values(parameters ?? {}),
    ...(body === undefined ? {} : { body: body.content }),
    ...(bodyExample === undefined ? {} : { bodyExample }),
    replies,
    refusal: errors.schema,
    async serve(guard, c) {
      const grant = await access.authorize(guard, c);
      const given = {
        ...grant,
        request: requestContext(c, async () => {
          await access.authorize(guard, c);
        }),
        path: c.req.param(),
        parameters: readParameters(
          { query: (name) => c.req.query(name), header: (name) => c.req.header(name) },
          parameters ?? {},
        ),
      };
      // The router matched the path, so every name in it has a value; absent parameters and bodies have absent types.
      const handleWith = async (value: Body | undefined) =>
        await handle({ ...given, body: value } as RouteInput<Path, Grant, Parameters, Body>, c);
      const value = await body?.read(c.req.raw);
      const result =
        body?.end === undefined
          ? await handleWith(value)
          : await handleWith(value).finally(() => body.end?.(value as Body));
      if (result instanceof Response) return result;
      if (status === 204) return c.body(null, status);
      const respond: Respond = (body, headers) => c.body(body, status, headers);
      return holdsSecret
        ? jsonReply(result, respond)
        : await compressedJsonReply(result, acceptsGzip(c.req.header('accept-encoding') ?? ''), respond);
    },
  };
}
