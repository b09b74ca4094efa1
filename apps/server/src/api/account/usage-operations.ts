import {
  invoicePreviewSchema,
  planChangeResultSchema,
  planChangeSchema,
  planListSchema,
  USAGE_GROUPS,
  usageGetSchema,
} from '@gptj-cloud/protocol';
import { z } from 'zod';
import { header, json, type Operation, query } from '../../http/openapi/operation.ts';

const DAYS = [
  query('from', 'First day, UTC.', { type: 'string', format: 'date' }),
  query('to', 'Last day, UTC; part of it.', { type: 'string', format: 'date' }),
  query('project_id', 'Another project than the present one, or `all` for owners of the server.'),
];

export const USAGE_OPERATIONS: readonly Operation[] = [
  {
    method: 'get',
    path: '/v2/plans',
    tag: 'plans and usage',
    summary: 'List the plans',
    access: 'token',
    replies: { 200: json(planListSchema, 'The plans, and which of them is the present one.') },
  },
  {
    method: 'post',
    path: '/v2/plans/reload',
    tag: 'plans and usage',
    summary: 'Read the file of plans again',
    access: 'admin',
    replies: { 200: json(planListSchema, 'The plans as they are now.') },
  },
  {
    method: 'post',
    path: '/v2/plan',
    tag: 'plans and usage',
    summary: 'Change to another plan',
    access: 'token',
    body: [{ schema: planChangeSchema }],
    replies: { 200: json(planChangeResultSchema, 'The change, or where to pay for it.') },
  },
  {
    method: 'post',
    path: '/v2/billing/stripe-webhook',
    tag: 'plans and usage',
    summary: 'Where Stripe reports payments',
    description: 'Guarded by the signature in Stripe-Signature.',
    access: 'public',
    parameters: [header('Stripe-Signature', 'Time and signature of the body.')],
    body: [{ schema: { type: 'object' } }],
    replies: { 200: json(z.object({ received: z.boolean() }), 'Taken.') },
  },
  {
    method: 'get',
    path: '/v2/usage',
    tag: 'plans and usage',
    summary: 'What was used',
    access: 'token',
    parameters: [...DAYS, query('group_by', 'What a line stands for.', { type: 'string', enum: USAGE_GROUPS })],
    replies: { 200: json(usageGetSchema, 'Lines and their sum.') },
  },
  {
    method: 'get',
    path: '/v2/usage.csv',
    tag: 'plans and usage',
    summary: 'What was used, run by run, for spreadsheets',
    access: 'token',
    parameters: DAYS,
    replies: { 200: { description: 'RFC 4180.', content: [{ type: 'text/csv', schema: { type: 'string' } }] } },
  },
  {
    method: 'get',
    path: '/v2/invoice-preview',
    tag: 'plans and usage',
    summary: 'What a month costs by the prices of the plan',
    access: 'token',
    parameters: [query('month', 'For example 2026-01.'), query('user_id', "Another user's, for owners of the server.")],
    replies: { 200: json(invoicePreviewSchema, 'Its lines and their sum.') },
  },
];
