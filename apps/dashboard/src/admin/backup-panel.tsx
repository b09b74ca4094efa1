import type { AdminOverview } from '@gptj-cloud/sdk';
import { useMutation } from '@tanstack/react-query';
import { cloud } from '../api/cloud.ts';
import { confirmed } from '../api/confirmation.ts';
import { Button } from '../ui/button.tsx';
import { ErrorPanel } from '../ui/error-panel.tsx';
import { formatBytes } from '../ui/formats.ts';

/** The download of a backup, which the browser makes by itself: it may be larger than its memory. */
export function BackupPanel({ store }: { readonly store: AdminOverview['store'] }) {
  const start = useMutation({
    mutationFn: () => confirmed(askFirst),
    onSuccess: () => window.location.assign(cloud().admin.backupAddress()),
  });
  return (
    <section className="ui-panel ui-stack">
      <div className="ui-panel-head admin-head">
        <h2>Backup</h2>
        {store.kind === 'embedded' && (
          <Button icon="download" isPending={start.isPending} onPress={() => start.mutate()}>
            Download a backup
          </Button>
        )}
      </div>
      <p className="ui-muted">
        {store.kind === 'embedded' ? (
          <>
            All data of the server, {formatBytes(store.bytes)} before compression, consistent while it runs. Restore it
            with <code>gptj admin restore</code>. Keep it safe: it holds the inputs and results of all projects.
          </>
        ) : (
          <>
            The data are on a PostgreSQL server: back them up with <code>pg_dump</code>.
          </>
        )}
      </p>
      {start.error !== null && <ErrorPanel error={start.error} />}
    </section>
  );
}

/** A refusal must be known before the browser leaves for the download; a reply to HEAD has no body that names its code. */
async function askFirst(): Promise<void> {
  const reply = await fetch(cloud().admin.backupAddress(), { method: 'HEAD' });
  if (reply.ok) return;
  const code = reply.status === 403 ? 'confirmation_required' : 'backup_refused';
  const message = `The server refused the backup with status ${reply.status}.`;
  throw Object.assign(new Error(message), { status: reply.status, detail: { code, message } });
}
