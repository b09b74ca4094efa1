import type { InvoiceLine } from '@gptj-cloud/sdk';
import { useQuery } from '@tanstack/react-query';
import { DataTable } from '../ui/data-table.tsx';
import { formatCount, formatDigits, formatMoney } from '../ui/formats.ts';
import { QueryView, Skeleton } from '../ui/states.tsx';
import { invoiceQuery } from './usage-query.ts';

const monthFormat = new Intl.DateTimeFormat('en-GB', { month: 'long', year: 'numeric', timeZone: 'UTC' });

/** What the month costs the account by the prices of its plan. */
export function InvoicePanel({ month }: { readonly month: string }) {
  const invoice = useQuery(invoiceQuery(month));
  return (
    <section className="ui-panel ui-stack">
      <div className="ui-panel-head">
        <h2>Invoice preview, {monthFormat.format(new Date(`${month}-01T00:00:00Z`))}</h2>
      </div>
      <QueryView query={invoice} skeleton={<Skeleton rows={3} height="2rem" />}>
        {({ lines, total, currency }) => (
          <>
            <DataTable
              label="Lines of the invoice"
              items={lines}
              idOf={({ description }) => description}
              columns={[
                { id: 'what', name: 'What', isTitle: true, cell: ({ description }) => description },
                { id: 'quantity', name: 'Quantity', align: 'end', width: '10rem', cell: quantityOf },
                {
                  id: 'price',
                  name: 'Price',
                  align: 'end',
                  width: '7rem',
                  cell: ({ price }) => formatMoney(price, currency),
                },
                {
                  id: 'amount',
                  name: 'Amount',
                  align: 'end',
                  width: '7rem',
                  cell: ({ amount }) => formatMoney(Number(amount), currency),
                },
              ]}
              empty="The plan has no prices, or nothing was used."
            />
            <p className="usage-total">
              <span>Total of the account, over all its projects</span>
              <strong className="ui-number">{formatMoney(Number(total), currency)}</strong>
            </p>
            <p className="ui-hint">A preview: nothing is charged by it.</p>
          </>
        )}
      </QueryView>
    </section>
  );
}

function quantityOf({ quantity, unit }: InvoiceLine): string {
  if (unit === 'ms') return `${formatDigits(quantity / 3_600_000, 4)} h`;
  return unit === 'month' ? `${quantity} month` : `${formatCount(quantity)} tokens`;
}
