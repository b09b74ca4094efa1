import { PageHead } from '../ui/page-head.tsx';

/** In place of the page: why the account cannot be used now, and what to do. */
export function GatePage({ gate }: { readonly gate: 'unverified' | 'disabled' }) {
  return (
    <div className="ui-page">
      {gate === 'disabled' ? (
        <>
          <PageHead title="This account is disabled" />
          <p>Ask an owner of the server to enable it again.</p>
        </>
      ) : (
        <PageHead title="Confirm your e-mail address" />
      )}
    </div>
  );
}
