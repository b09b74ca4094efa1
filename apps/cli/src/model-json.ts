import type { StoredModel } from '@gptj-cloud/model-store';

/** A stored model as JSON, with names as the API writes them. */
export function modelJson({ name, type, path, sizeBytes, sha256, source, storedAt }: StoredModel): unknown {
  return { name, type, path, size_bytes: sizeBytes, sha256, source, stored_at: storedAt };
}
