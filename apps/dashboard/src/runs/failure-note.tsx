import type { Run } from '@gptj-cloud/sdk';
import { ButtonLink } from '../ui/button.tsx';
import { isCancelled } from '../ui/cancelled.ts';
import { sentence } from '../ui/error-panel.tsx';
import { Icon } from '../ui/icons.tsx';
import { adviceFor } from './run-failure.ts';

/** Why the run failed, in the server's words, what that means, and the next step. */
export function FailureNote({ run }: { readonly run: Run }) {
  const exception = run.errorInfo?.exception ?? '';
  const { meaning, next, step } = adviceFor(run.error ?? '', exception);
  // The code before the message is for programs.
  const message = exception.replace(/^[a-z_]{3,40}: /, '');
  const traceback = run.errorInfo?.traceback ?? '';
  return (
    <div className={isCancelled(exception) ? 'runs-failure runs-failure-quiet' : 'runs-failure'}>
      <Icon name={isCancelled(exception) ? 'banned' : 'failed'} />
      <div className="ui-stack">
        <p className="runs-failure-text">{sentence(message)}</p>
        <p>
          {meaning} {next}
        </p>
        {step !== 'again' && (
          <div className="ui-actions">
            {step === 'plan' ? (
              <ButtonLink to="/plan" size="small" icon="card">
                See the plans
              </ButtonLink>
            ) : (
              <ButtonLink to="/playground" search={{ run: run.id }} size="small" icon="pen">
                Change it in the playground
              </ButtonLink>
            )}
          </div>
        )}
        {traceback.includes('\n') && (
          <details>
            <summary>Traceback</summary>
            <pre className="runs-pre">{traceback}</pre>
          </details>
        )}
      </div>
    </div>
  );
}
