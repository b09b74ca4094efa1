import type { EngineStatus, ServerInfo } from '@gptj-cloud/sdk';
import { writeJson } from '../client/api-json.ts';
import { JSON_OPTION, SERVER_GROUP } from '../client/client-options.ts';
import { chooseServer } from '../client/open-client.ts';
import { publicClient } from '../client/public-client.ts';
import type { Command } from '../command.ts';
import { formatBytes, formatCount, formatDuration, formatMoment, threeDigits } from '../figures.ts';
import { isOn } from '../options.ts';
import { widthOf } from '../output.ts';
import { renderPairs } from '../table.ts';

export const serverCommand: Command = {
  name: 'server',
  summary: 'show the state of a server: model, load, version',
  about: 'Shows what a server is and offers, and with a token how busy its engine is.',
  arguments: [],
  groups: [{ title: 'options', options: [JSON_OPTION] }, SERVER_GROUP],
  examples: [
    { line: 'gptj server', caption: 'the server in use' },
    { line: 'gptj server --url http://127.0.0.1:8080 --json', caption: 'for a script; needs no token' },
  ],

  async run(context, options) {
    const { stdout, signal } = context;
    const { url, api } = await chooseServer(context, options);
    const server = await (api ?? publicClient(url)).server.get({ signal });
    const engine = api === null ? null : await api.engine.get({ signal });
    if (isOn(options, 'json')) {
      writeJson(stdout, { url, server, engine });
      return;
    }
    stdout.write(renderPairs([...serverPairs(url, server), ...enginePairs(engine)], widthOf(stdout)));
  },
};

function serverPairs(url: string, server: ServerInfo): readonly (readonly [string, string])[] {
  const { maintenance } = server;
  return [
    ['server', url],
    ['version', `${server.name} ${server.version}`],
    ['model', `${server.model}, context of ${formatCount(server.context)} tokens`],
    ['registration', server.registration],
    ['sign-in', ['password', ...server.providers].join(', ')],
    ['maintenance', maintenance === null ? '' : `since ${formatMoment(maintenance.since)}: ${maintenance.message}`],
  ];
}

function enginePairs(engine: EngineStatus | null): readonly (readonly [string, string])[] {
  if (engine === null) return [];
  const { model, cells } = engine;
  return [
    ['engine', engine.reason === null ? engine.state : `${engine.state}: ${engine.reason}`],
    ['weights', `${model.quantisation}, ${formatCount(model.layers)} layers`],
    ['loaded', `${formatMoment(engine.since)}, in ${formatDuration(model.loadedInMs)}`],
    ['memory', engine.memoryBytes === null ? '' : formatBytes(engine.memoryBytes)],
    ['cache', cells.used === null ? '' : `${formatCount(cells.used)} of ${formatCount(cells.total)} positions`],
    ['generations', engine.active === null ? '' : `${engine.active} computed, ${engine.waiting ?? 0} waiting`],
    ['speed now', `${threeDigits(engine.tokensPerSecond)} tokens/s`],
  ];
}
