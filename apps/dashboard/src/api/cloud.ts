/** The client of this page: the browser's session, in the project of the address. */
import { PipelineCloud } from '@gptj-cloud/sdk';

const mainClient = new PipelineCloud({ session: true });
let client = mainClient;

/** The client for the project in the address. Take it when a request is sent, not before: a switch of the project replaces it. */
export function cloud(): PipelineCloud {
  return client;
}

/** Null: the first project of the account. Returns whether the project has changed. */
export function selectProject(id: string | null): boolean {
  if (id === client.projectId) return false;
  client = id === null ? mainClient : mainClient.withProject(id);
  return true;
}
