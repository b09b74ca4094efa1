import { ApiError } from '@gptj-cloud/protocol';
import type { PaymentProvider } from './payment-provider.ts';

/** Payment outside this server: every plan change request waits for an owner of the server. */
export const MANUAL_PROVIDER: PaymentProvider = {
  name: 'manual',
  planForPrice: () => null,
  requestPlanChange: async () => ({ kind: 'approval' }),
  readEvent: async () => {
    throw new ApiError(
      'webhook_refused',
      { reason: 'no payment provider is set up here' },
      { remedy: 'set one up in the settings of this server, or remove this address from the settings of the provider' },
    );
  },
};
