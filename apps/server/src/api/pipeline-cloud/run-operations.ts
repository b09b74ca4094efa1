import {
  dataCreateSchema,
  dataGetSchema,
  fileGetSchema,
  runCreateSchema,
  runEventSchema,
  runGetSchema,
  runPageSchema,
  runStateSchema,
} from '@gptj-cloud/protocol';
import { header, json, NO_CONTENT, type Operation, PAGE, query } from '../../http/openapi/operation.ts';

const RETURN_DATA = query('return_data', 'Give the bytes of large files, too.', { type: 'boolean', default: false });
const EVENTS = {
  type: 'text/event-stream',
  schema: runEventSchema,
} as const;

/** One part of a form, with a file in it. */
const form = (part: string, description: string) => ({
  type: 'multipart/form-data',
  schema: { type: 'object', required: [part], properties: { [part]: { type: 'string', description } } },
});

export const RUN_OPERATIONS: readonly Operation[] = [
  {
    method: 'post',
    path: '/v2/runs',
    tag: 'runs',
    summary: 'Run a pipeline',
    description:
      'Answers when the run has ended; with `async_run`, at once; with `stream`, with events. A run that takes long has blanks sent before its JSON, which any JSON reader skips. A failed run is answered with 200 and its `error`.',
    access: 'token',
    parameters: [
      header('Idempotency-Key', 'Up to 255 characters. The same key with the same body gives the same run again.'),
    ],
    body: [{ schema: runCreateSchema }],
    replies: {
      200: {
        description: 'The run as it ended, or its events.',
        content: [{ schema: runGetSchema }, EVENTS],
      },
      202: json(runGetSchema, 'The run as it was accepted, with `async_run`.'),
    },
  },
  {
    method: 'get',
    path: '/v2/runs',
    tag: 'runs',
    summary: 'List the runs of the project',
    access: 'token',
    parameters: [
      ...PAGE,
      query('pipeline_id', 'Of this pipeline alone, by id or tag.'),
      query('run_state', 'In this state alone.', { type: 'string', enum: runStateSchema.options }),
    ],
    replies: { 200: json(runPageSchema, 'A page of runs.') },
  },
  {
    method: 'get',
    path: '/v2/runs/:id',
    tag: 'runs',
    summary: 'Look at a run',
    access: 'token',
    replies: { 200: json(runGetSchema, 'The run as it is now.') },
  },
  {
    method: 'get',
    path: '/v2/runs/:id/events',
    tag: 'runs',
    summary: 'Follow a run',
    access: 'token',
    parameters: [header('Last-Event-ID', 'Go on after this event; browsers send it by themselves.')],
    replies: { 200: { description: 'Its events, from the beginning or from there on.', content: [EVENTS] } },
  },
  {
    method: 'post',
    path: '/v2/runs/:id/cancel',
    tag: 'runs',
    summary: 'Cancel a run',
    access: 'token',
    replies: { 200: json(runGetSchema, 'The run, failed unless it had ended before.') },
  },
  {
    method: 'delete',
    path: '/v2/runs/:id',
    tag: 'runs',
    summary: 'Delete a run that has ended, with its data and result',
    access: 'token',
    replies: { 204: NO_CONTENT },
  },
  {
    method: 'post',
    path: '/v2/files',
    tag: 'data',
    summary: 'Upload a file',
    access: 'token',
    body: [form('file', 'Hexadecimal digits of the bytes.')],
    replies: { 201: json(fileGetSchema, 'The file.') },
  },
  {
    method: 'get',
    path: '/v2/files/:id',
    tag: 'data',
    summary: 'Look at a file',
    access: 'token',
    parameters: [RETURN_DATA],
    replies: { 200: json(fileGetSchema, 'The file.') },
  },
  {
    method: 'post',
    path: '/v2/data',
    tag: 'data',
    summary: 'Make the data of a run from an uploaded file or from bytes',
    description: 'The bytes are a pickle of plain values; anything that would run code is refused.',
    access: 'token',
    body: [{ schema: dataCreateSchema }, form('data', 'The bytes.')],
    replies: { 201: json(dataGetSchema, 'The data.') },
  },
  {
    method: 'get',
    path: '/v2/data/:id',
    tag: 'data',
    summary: 'Look at data',
    access: 'token',
    parameters: [RETURN_DATA],
    replies: { 200: json(dataGetSchema, 'The data.') },
  },
];
