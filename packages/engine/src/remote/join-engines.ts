import type { Engine, EngineInfo } from '../engine.ts';
import { refusedParameters } from './remote-parameters.ts';

/** One engine of two over the same weights: a server computes what it honours, our own engine the rest. Owns both. */
export function joinEngines(remote: Engine, own: Engine): Engine {
  const { remote: limits, ...info } = remote.info;
  if (limits === undefined) throw new TypeError('expected an engine over a server first');
  let joined: EngineInfo = { ...info, adapters: own.info.adapters, earlyExitLayers: own.info.earlyExitLayers };
  let closing: Promise<void> | null = null;
  return {
    get info() {
      joined = joined.adapters === own.info.adapters ? joined : { ...joined, adapters: own.info.adapters };
      return joined;
    },
    ...(own.setAdapters === undefined ? {} : { setAdapters: own.setAdapters.bind(own) }),
    generate: (request, signal) =>
      (refusedParameters(request.config, limits).length === 0 ? remote : own).generate(request, signal),
    ...(remote.stats === undefined ? {} : { stats: remote.stats.bind(remote) }),
    close() {
      closing ??= (async () => {
        const [first, second] = await Promise.allSettled([remote.close(), own.close()]);
        for (const each of [first, second]) if (each.status === 'rejected') throw each.reason;
      })();
      return closing;
    },
  };
}
