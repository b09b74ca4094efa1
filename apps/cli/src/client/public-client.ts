import { PipelineCloud } from '@gptj-cloud/sdk';

/** A client without a token, for the public facts of a server. */
export function publicClient(url: string): PipelineCloud {
  return new PipelineCloud({ session: true, url });
}
