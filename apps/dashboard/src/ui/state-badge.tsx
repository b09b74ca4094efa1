import { Icon, type IconName } from './icons.tsx';
import './state-badge.css';

export type Tone = 'ok' | 'warn' | 'bad' | 'info' | 'quiet';

/** Every state is an icon, a word and a colour. States of runs, webhooks, tokens and invitations. */
const STATES: Readonly<Record<string, { readonly icon: IconName; readonly tone: Tone }>> = {
  received: { icon: 'clock', tone: 'quiet' },
  waiting: { icon: 'clock', tone: 'quiet' },
  pending: { icon: 'clock', tone: 'quiet' },
  requested: { icon: 'clock', tone: 'warn' },
  running: { icon: 'half', tone: 'info' },
  complete: { icon: 'done', tone: 'ok' },
  delivered: { icon: 'done', tone: 'ok' },
  active: { icon: 'done', tone: 'ok' },
  ready: { icon: 'done', tone: 'ok' },
  verified: { icon: 'done', tone: 'ok' },
  failed: { icon: 'failed', tone: 'bad' },
  failing: { icon: 'alert', tone: 'bad' },
  expired: { icon: 'alert', tone: 'warn' },
  cancelled: { icon: 'banned', tone: 'quiet' },
  disabled: { icon: 'banned', tone: 'quiet' },
};

/** `<StateBadge state="complete" />`; with `label` another word than the state's name. */
export function StateBadge({
  state,
  label = state,
  tone,
}: {
  readonly state: string;
  readonly label?: string;
  readonly tone?: Tone;
}) {
  const { icon, tone: usual } = STATES[state] ?? { icon: 'circle' as const, tone: 'quiet' as const };
  return (
    <span className={`ui-badge ui-badge-${tone ?? usual}`}>
      <Icon name={icon} size={14} />
      {label}
    </span>
  );
}
