import type { Project, Usage, UsageRow } from '@gptj-cloud/sdk';
import { queryOptions } from '@tanstack/react-query';
import { cloud } from '../api/cloud.ts';
import { keys } from '../api/keys.ts';
import { precedingDays, type UsageRange } from './usage-range.ts';
import type { UsageSearch } from './usage-search.ts';

export type UsageBy = NonNullable<UsageSearch['by']>;

/** Keys with rows of their own; a chart shows six, the table all. */
const TOP = 20;
const MAX_PROJECTS = 20;

/** Whose usage the page shows. */
export interface UsageOwner {
  readonly project: Project;
  /** All projects of the account. */
  readonly projects: readonly Project[];
  /** An owner of the server sees every project. */
  readonly isServerOwner: boolean;
}

export function rowsQuery(range: UsageRange, by: UsageBy, owner: UsageOwner) {
  return queryOptions({
    queryKey: [...keys.usage, 'rows', by, owner.project.id, owner.projects.length, range.from, range.to],
    queryFn: ({ signal }) => readUsage(range, by, owner, signal),
  });
}

/** What a month costs the account. */
export function invoiceQuery(month: string) {
  return queryOptions({
    queryKey: [...keys.usage, 'invoice', month],
    queryFn: ({ signal }) => cloud().usage.previewInvoice({ month, signal }),
  });
}

/** The rows of a range. Each project of the account is asked by itself, since an account sees one project at a time. */
async function readUsage(
  range: Pick<UsageRange, 'from' | 'to' | 'bucket'>,
  by: UsageBy,
  { project, projects, isServerOwner }: UsageOwner,
  signal: AbortSignal,
): Promise<readonly UsageRow[]> {
  const { from, to, bucket } = range;
  const days = { from, to, bucket, signal };
  if (by === 'project' && isServerOwner) {
    return (await cloud().usage.get({ ...days, groupBy: 'project', top: TOP })).rows;
  }
  if (by === 'project') {
    const replies = await Promise.all(
      projects.slice(0, MAX_PROJECTS).map(({ id }) =>
        cloud()
          .withProject(id)
          .usage.get({ ...days, projectId: id }),
      ),
    );
    return replies.flatMap(({ rows }, index) => {
      const { id: key = '', name = null } = projects[index] ?? {};
      return rows.map((row) => ({ ...row, key, name }));
    });
  }
  const group = by === 'total' ? {} : { groupBy: by };
  return (await cloud().usage.get({ ...days, ...group, projectId: project.id, top: TOP })).rows;
}

/** Sums of the project in a range, and in the one before. */
export function totalsQuery(range: UsageRange, projectId: string) {
  return queryOptions({
    queryKey: [...keys.usage, 'totals', projectId, range.from, range.to],
    queryFn: async ({ signal }) => {
      const [now, before] = await Promise.all([
        readTotal({ from: range.from, to: range.to }, projectId, signal),
        readTotal(precedingDays(range), projectId, signal),
      ]);
      return { now, before };
    },
  });
}

async function readTotal(
  days: { readonly from: string; readonly to: string },
  projectId: string,
  signal: AbortSignal,
): Promise<Usage['total']> {
  return (await cloud().usage.get({ ...days, projectId, signal })).total;
}
