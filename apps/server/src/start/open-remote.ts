/** Opens the model that a completions server computes, beside our own engine where that computes what the server cannot. */
import { readFile } from 'node:fs/promises';
import {
  describeModelFile,
  type Engine,
  joinEngines,
  makeParityProbe,
  openRemoteEngine,
  openTokenizer,
  type ParityProbe,
  parseParityProbe,
  readMachineMemory,
} from '@gptj-cloud/engine';
import type { ServerConfig } from '../config/parse-config.ts';
import type { RemoteEngineConfig } from '../config/remote-settings.ts';
import { ConfigError } from '../config-error.ts';
import { findModelFile } from './model-file.ts';
import type { ModelStart, ServedModel } from './open-models.ts';

/** Loads the weights of a model file. */
type OpenOwn = (path: string) => Promise<Engine>;

/** Throws `ConfigError`, and what `openRemoteEngine` throws for a server that cannot be used. */
export async function openRemote(
  config: ServerConfig,
  remote: RemoteEngineConfig,
  start: ModelStart,
  openOwn: OpenOwn,
): Promise<ServedModel> {
  if (config.models.length > 0) {
    throw new ConfigError(
      'GPTJ_MODELS: expected nothing beside GPTJ_ENGINE=openai=URL, which serves GPTJ_MODEL alone; leave one of them out',
    );
  }
  const { logger } = start;
  const path = await findModelFile(config, start);
  const tokenizer = await openTokenizer(path);
  const like = { kind: 'kernels', backend: 'cpu' } as const;
  const { info } = await describeModelFile({ path, ...config.engineSize }, { like, machine: readMachineMemory() });
  const stored = remote.probeFile === null ? null : await readProbe(remote.probeFile);
  const own = remote.hasFallback || stored === null ? await openOwn(path) : null;
  try {
    const probe = stored ?? (own === null ? null : await makeParityProbe(own, tokenizer));
    if (probe === null) throw new TypeError('expected a probe, or an engine that computes one');
    logger.info('comparing the server with our own engine', { server: remote.address.url.href, probe: probe.model });
    const engine = await openRemoteEngine({
      address: remote.address,
      ...(remote.model === null ? {} : { model: remote.model }),
      deterministic: remote.deterministic,
      tolerance: remote.tolerance,
      local: { name: info.modelName, config: info.config, tokenizer },
      probe,
      silenceMs: config.engineEvaluationMs,
      onWarning: (message) => logger.warn(message),
      ...(start.signal === null ? {} : { signal: start.signal }),
    });
    if (own !== null && remote.hasFallback) return { engine: joinEngines(engine, own), tokenizer, path };
    await own?.close();
    return { engine, tokenizer, path };
  } catch (error) {
    await own?.close();
    throw error;
  }
}

async function readProbe(path: string): Promise<ParityProbe> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    throw new ConfigError(`ENGINE_PROBE: expected a file of gptj probe, got ${path}, which cannot be read`, { cause });
  }
  return parseParityProbe(text);
}
