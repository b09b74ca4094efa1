import { ApiError } from '@gptj-cloud/protocol';
import type { PaymentProvider } from './payment-provider.ts';

/** Payment is between people: every wish waits for an owner of the server. */
export const MANUAL_PROVIDER: PaymentProvider = {
  name: 'manual',
  paysFor: () => null,
  wish: async () => ({ kind: 'approval' }),
  readEvent: async () => {
    throw new ApiError(
      'webhook_refused',
      { reason: 'no payment provider is set up here' },
      { remedy: 'set one up in the settings of this server, or take this address out of the settings of the provider' },
    );
  },
};
