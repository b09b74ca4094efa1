import { useQuery } from '@tanstack/react-query';
import { serverQuery } from '../api/server.ts';
import { Icon } from '../ui/icons.tsx';

const POLL_MS = 30_000;

/** The operator's sentence while new runs are refused. */
export function MaintenanceBar() {
  const { data } = useQuery({ ...serverQuery, staleTime: POLL_MS, refetchInterval: POLL_MS });
  if (data === undefined || data.maintenance === null) return null;
  return (
    <div className="shell-notice" role="status">
      <p>
        <Icon name="info" />
        New runs are refused for now: {data.maintenance.message}
      </p>
    </div>
  );
}
