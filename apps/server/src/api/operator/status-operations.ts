import { errorBodySchema } from '@gptj-cloud/protocol';
import { z } from 'zod';
import { json, type Operation } from '../../http/openapi/operation.ts';

const status = z.object({ status: z.string() });

export const STATUS_OPERATIONS: readonly Operation[] = [
  {
    method: 'get',
    path: '/',
    tag: 'server',
    summary: 'What answers here',
    access: 'public',
    replies: { 200: json(z.looseObject({ name: z.string(), model: z.string() }), 'Name, model and where to begin.') },
  },
  {
    method: 'get',
    path: '/healthz',
    tag: 'server',
    summary: 'Whether the server is alive',
    access: 'public',
    replies: { 200: json(status, 'It is.') },
  },
  {
    method: 'get',
    path: '/readyz',
    tag: 'server',
    summary: 'Whether runs can be taken now',
    description: 'The store and the engine answer, and the server is not stopping.',
    access: 'public',
    replies: { 200: json(status, 'They can.'), 503: json(status, 'Not now.') },
  },
  {
    method: 'get',
    path: '/v2/status',
    tag: 'server',
    summary: 'Whether the API answers, as clients of 2022 ask',
    access: 'public',
    replies: { 200: json(z.object({ alive: z.boolean() }), 'It does.') },
  },
  {
    method: 'get',
    path: '/openapi.json',
    tag: 'server',
    summary: 'This description, for machines',
    access: 'public',
    replies: { 200: json({ type: 'object' }, 'An OpenAPI 3.1 document.') },
  },
  {
    method: 'get',
    path: '/docs',
    tag: 'server',
    summary: 'This description, for people',
    access: 'public',
    replies: { 200: { description: 'A page.', content: [{ type: 'text/html', schema: { type: 'string' } }] } },
  },
  {
    method: 'get',
    path: '/metrics',
    tag: 'server',
    summary: 'Metrics for Prometheus',
    description: 'For owners of the server, and for whoever brings METRICS_TOKEN as a bearer token.',
    access: 'admin',
    replies: {
      200: { description: 'Exposition format 0.0.4.', content: [{ type: 'text/plain', schema: { type: 'string' } }] },
    },
  },
  {
    method: 'get',
    path: '/v2/admin/backup',
    tag: 'server',
    summary: 'A backup of the embedded store',
    description: 'Everything the server keeps, consistent while it runs. Restore it with `gptj admin restore`.',
    access: 'admin',
    replies: {
      200: {
        description: 'A gzipped tar.',
        content: [{ type: 'application/gzip', schema: { type: 'string', contentMediaType: 'application/gzip' } }],
      },
      409: json(errorBodySchema, 'The server keeps its data in a PostgreSQL of its own: use pg_dump.'),
    },
  },
];
