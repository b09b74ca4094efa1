import type { Limits } from '@gptj-cloud/sdk';
import type { UseQueryResult } from '@tanstack/react-query';
import { formatBinaryBytes } from '../ui/formats.ts';
import { Meter } from '../ui/meter.tsx';
import { RelativeTime } from '../ui/relative-time.tsx';
import { QueryView, Skeleton } from '../ui/states.tsx';

/** What is used of the present plan, over all projects of its account. */
export function UsedLimits({ limits }: { readonly limits: UseQueryResult<Limits> }) {
  return (
    <section className="ui-panel">
      <div className="ui-panel-head">
        <h2>Used</h2>
        <span className="ui-muted">all projects of the account; days and months are UTC</span>
      </div>
      <QueryView query={limits} skeleton={<Skeleton rows={2} height="2.5rem" />}>
        {({ day, month, running, requests, storedBytes }) => (
          <div className="plan-meters">
            <Meter label="Today" unit="tokens" used={day.used} reserved={day.reserved} limit={day.limit}>
              {day.limit !== null && (
                <>
                  begins again <RelativeTime at={day.resetsAt} />
                </>
              )}
            </Meter>
            <Meter label="This month" unit="tokens" used={month.used} reserved={month.reserved} limit={month.limit}>
              {month.limit !== null && (
                <>
                  begins again <RelativeTime at={month.resetsAt} />
                </>
              )}
            </Meter>
            {running.used !== null && running.limit !== null && (
              <Meter label="Runs now" used={running.used} limit={running.limit} />
            )}
            {requests.used !== null && requests.limit !== null && (
              <Meter label="Requests of the last minute" used={requests.used} limit={requests.limit} />
            )}
            <Meter label="Stored" format={formatBinaryBytes} used={storedBytes.used} limit={storedBytes.limit} />
          </div>
        )}
      </QueryView>
    </section>
  );
}
