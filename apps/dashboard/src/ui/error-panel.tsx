import type { ReactNode } from 'react';
import { Button } from './button.tsx';
import { CopyButton } from './copy.tsx';
import { Countdown } from './countdown.tsx';
import { Icon } from './icons.tsx';
import { isSessionEnded, problemOf } from './problem.ts';
import './error-panel.css';

/** What went wrong in the server's sentence, what helps, and the id that names the entry in the server's log. */
export function ErrorPanel({
  error,
  onRetry,
  children,
}: {
  readonly error: unknown;
  readonly onRetry?: (() => void) | undefined;
  /** Further actions, such as a link to the page that mends it. */
  readonly children?: ReactNode;
}) {
  const { message, remedy, requestId, retryAfterMs } = problemOf(error);
  if (isSessionEnded(error)) return null;
  return (
    <div className="ui-error" role="alert">
      <Icon name="alert" />
      <div className="ui-error-text">
        <p className="ui-error-message">{sentence(message)}</p>
        {remedy !== null && <p>{sentence(remedy)}</p>}
        {requestId !== null && (
          <p className="ui-error-id">
            Request
            <span>
              <code>{requestId}</code>
              <CopyButton text={requestId} label="Copy the request id" />
            </span>
          </p>
        )}
        {(onRetry || children) && (
          <div className="ui-actions">
            {onRetry &&
              (retryAfterMs === null ? (
                <Button size="small" icon="refresh" onPress={onRetry}>
                  Try again
                </Button>
              ) : (
                <Countdown ms={retryAfterMs} text={(left) => `Try again in ${left}`}>
                  <Button size="small" icon="refresh" onPress={onRetry}>
                    Try again
                  </Button>
                </Countdown>
              ))}
            {children}
          </div>
        )}
      </div>
    </div>
  );
}

/** The server writes messages without a capital and a full stop, for they are parts of lines in a log. */
export function sentence(text: string): string {
  const trimmed = text.trim();
  const first = trimmed.charAt(0).toUpperCase() + trimmed.slice(1);
  return /[.!?…][)”"]?$/.test(first) ? first : `${first}.`;
}
