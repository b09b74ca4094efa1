/** Entries of the audit log, of the server or of a project. */
import type { Endpoint } from '../connection.ts';
import { read } from '../exchange.ts';
import { dateAt, nullable, numberAt, objectAt, pageOf, record, stringAt } from '../fields.ts';
import type { JsonObject } from '../json.ts';
import { type ListOptions, pageQuery } from '../options.ts';
import { type PagePromise, pagesOf } from '../pages.ts';

/** One line of the audit log. */
export interface AuditEntry {
  readonly id: number;
  readonly at: Date;
  readonly userId: string | null;
  readonly tokenId: string | null;
  readonly action: string;
  readonly subject: string | null;
  readonly projectId: string | null;
  readonly address: string | null;
  readonly requestId: string | null;
  readonly details: JsonObject;
}

export interface AuditOptions extends ListOptions {
  /** Only entries of this user. */
  readonly userId?: string;
  /** Only entries of this action, for example `token.create`. */
  readonly action?: string;
}

const parseEntry = record<AuditEntry>({
  id: numberAt,
  at: dateAt,
  userId: nullable(stringAt),
  tokenId: nullable(stringAt),
  action: stringAt,
  subject: nullable(stringAt),
  projectId: nullable(stringAt),
  address: nullable(stringAt),
  requestId: nullable(stringAt),
  details: objectAt,
});

/** The entries at a path, newest first. */
export function readAuditLog(endpoint: Endpoint, path: string, options: AuditOptions = {}): PagePromise<AuditEntry> {
  return pagesOf(options, async (page) => {
    const query = pageQuery(page);
    if (page.userId !== undefined) query.set('user_id', page.userId);
    if (page.action !== undefined) query.set('action', page.action);
    return await read(endpoint, `${path}?${query}`, (reply) => pageOf(reply, parseEntry), page);
  });
}
