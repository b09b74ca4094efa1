import { type ErrorComponentProps, Link, useRouter } from '@tanstack/react-router';
import { ErrorPanel } from '../ui/error-panel.tsx';
import { PageHead } from '../ui/page-head.tsx';

export function UnknownPage() {
  return (
    <div className="ui-page">
      <PageHead title="No such page" />
      <p>
        This address leads to no page. <Link to="/">Go to Home</Link>
      </p>
    </div>
  );
}

/** A page that failed to load or to render. */
export function RouteFailure({ error, reset }: ErrorComponentProps) {
  const router = useRouter();
  return (
    <div className="ui-page">
      <PageHead title="This page failed" />
      <ErrorPanel
        error={error}
        onRetry={() => {
          reset();
          router.invalidate().catch(() => undefined);
        }}
      />
    </div>
  );
}
