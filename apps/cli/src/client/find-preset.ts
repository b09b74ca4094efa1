import type { PipelineCloud, Preset } from '@gptj-cloud/sdk';
import { nearestName } from '../nearest-name.ts';

/** All presets of the project; there are at most 200. */
export async function allPresets(api: PipelineCloud, signal: AbortSignal): Promise<readonly Preset[]> {
  const presets: Preset[] = [];
  for await (const preset of api.presets.list({ limit: 100, signal })) presets.push(preset);
  return presets;
}

/** The preset with the name or the id `wanted`. Throws an error with the nearest name. */
export async function findPreset(api: PipelineCloud, wanted: string, signal: AbortSignal): Promise<Preset> {
  const presets = await allPresets(api, signal);
  const found = presets.find(({ name }) => name === wanted) ?? presets.find(({ id }) => id === wanted);
  if (found !== undefined) return found;
  const nearest = nearestName(
    wanted,
    presets.map(({ name }) => name),
  );
  const hint = nearest === null ? 'gptj presets shows all' : `did you mean ${JSON.stringify(nearest)}?`;
  throw new Error(`the project has no preset ${JSON.stringify(wanted)}; ${hint}`);
}
