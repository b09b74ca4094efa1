/** The pages of the side bar, the bottom bar and the palette. */
import type { IconName } from '../ui/icons.tsx';

export interface Place {
  readonly to:
    | '/'
    | '/playground'
    | '/runs'
    | '/usage'
    | '/pipelines'
    | '/evaluations'
    | '/tokens'
    | '/webhooks'
    | '/members'
    | '/plan'
    | '/admin';
  readonly title: string;
  readonly icon: IconName;
  readonly keys?: string;
}

/** Shown in the bottom bar of a phone; the others are behind More. */
export const MAIN_PLACES: readonly Place[] = [
  { to: '/', title: 'Home', icon: 'home', keys: 'g h' },
  { to: '/playground', title: 'Playground', icon: 'pen', keys: 'g p' },
  { to: '/runs', title: 'Runs', icon: 'list', keys: 'g r' },
  { to: '/usage', title: 'Usage', icon: 'chart', keys: 'g u' },
];

export const MODEL_PLACES: readonly Place[] = [
  { to: '/pipelines', title: 'Pipelines', icon: 'layers' },
  { to: '/evaluations', title: 'Evaluations', icon: 'columns' },
];

export const PROJECT_PLACES: readonly Place[] = [
  { to: '/tokens', title: 'API tokens', icon: 'key', keys: 'g t' },
  { to: '/webhooks', title: 'Webhooks', icon: 'hook' },
  { to: '/members', title: 'Members', icon: 'people' },
  { to: '/plan', title: 'Plan', icon: 'card' },
];

export const ADMIN_PLACE: Place = { to: '/admin', title: 'Admin', icon: 'shield' };
