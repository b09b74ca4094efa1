import { z } from 'zod';
import { paginatedSchema } from './paginated.ts';
import { timestampSchema } from './timestamp.ts';

/** Events that webhooks can receive. A cancelled run counts as failed. */
export const WEBHOOK_EVENTS = ['run.completed', 'run.failed'] as const;
export const webhookEventSchema = z.enum(WEBHOOK_EVENTS);
export type WebhookEvent = z.infer<typeof webhookEventSchema>;

/** The type of a message: an event, or a test that its owner sent. */
export const webhookDeliveryEventSchema = z.enum([...WEBHOOK_EVENTS, 'webhook.test']);
export type WebhookDeliveryEvent = z.infer<typeof webhookDeliveryEventSchema>;
export const webhookDeliveryStateSchema = z.enum(['pending', 'delivered', 'failed']);

const url = z.string().max(2048);
const events = z.array(webhookEventSchema).min(1).max(WEBHOOK_EVENTS.length);

/** Body of `POST /v2/webhooks`. `events` defaults to all. */
export const webhookCreateSchema = z.strictObject({ url, events: events.optional() });
export type WebhookCreate = z.infer<typeof webhookCreateSchema>;

/** Body of `PATCH /v2/webhooks/<id>`. */
export const webhookPatchSchema = z.strictObject({
  url: url.optional(),
  events: events.optional(),
  is_enabled: z.boolean().optional(),
});
export type WebhookPatch = z.infer<typeof webhookPatchSchema>;

const MAX_OVERLAP_SECONDS = 7 * 86_400;

/** Body of `POST /v2/webhooks/<id>/rotate-secret`. */
export const webhookRotateSchema = z.strictObject({
  /** How long messages have the signatures of both secrets. Default: a day. */
  overlap_seconds: z.int().min(0).max(MAX_OVERLAP_SECONDS).default(86_400),
});

export const webhookGetSchema = z.object({
  id: z.string(),
  url: z.string(),
  events: z.array(webhookEventSchema),
  is_enabled: z.boolean(),
  /** Failed attempts since the last message that was delivered. */
  failed_attempts: z.number(),
  /** Time of the first of them. */
  failing_since: timestampSchema.nullish(),
  /** When and why the server disabled the webhook after a long failure. `is_enabled: true` enables it again. */
  disabled_at: timestampSchema.nullish(),
  disabled_reason: z.string().nullish(),
  created_at: timestampSchema,
  updated_at: timestampSchema,
  /** Until when the secret before the last rotation signs messages as well. */
  previous_secret_until: timestampSchema.nullish(),
  /** Secret key of the signatures, only in the reply of the creation and of a rotation. */
  secret: z.string().optional(),
});
export type WebhookGet = z.infer<typeof webhookGetSchema>;
export const webhookPageSchema = paginatedSchema(webhookGetSchema);

/** Delivery of one event to one webhook. */
export const webhookDeliveryGetSchema = z.object({
  id: z.string(),
  webhook_id: z.string(),
  /** Null: a test. */
  run_id: z.string().nullable(),
  event: webhookDeliveryEventSchema,
  state: webhookDeliveryStateSchema,
  attempts: z.number(),
  created_at: timestampSchema,
  /** Time of the next attempt; of an ended delivery, time of the last attempt. */
  due_at: timestampSchema,
  ended_at: timestampSchema.nullish(),
  /** HTTP status of the last attempt that got a reply. */
  response_status: z.number().nullish(),
  failure: z.string().nullish(),
});
export type WebhookDeliveryGet = z.infer<typeof webhookDeliveryGetSchema>;
export const webhookDeliveryPageSchema = paginatedSchema(webhookDeliveryGetSchema);
