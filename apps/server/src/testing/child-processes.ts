import { readdirSync, readFileSync } from 'node:fs';

/** The ids of a process' children; none where the system has no `/proc`. */
export function childProcesses(pid: number): readonly number[] {
  try {
    return readdirSync('/proc').flatMap((name) => (/^\d+$/.test(name) && parentOf(name) === pid ? [Number(name)] : []));
  } catch {
    return [];
  }
}

function parentOf(id: string): number | null {
  try {
    const status = readFileSync(`/proc/${id}/status`, 'utf8');
    const [, parent] = /^PPid:\t(\d+)$/m.exec(status) ?? [];
    return parent === undefined ? null : Number(parent);
  } catch {
    // It has ended.
    return null;
  }
}
