import { release } from 'node:os';
import { writeJson } from '../client/api-json.ts';
import { JSON_OPTION } from '../client/client-options.ts';
import type { Command } from '../command.ts';
import { isOn } from '../options.ts';
import { widthOf } from '../output.ts';
import { renderPairs } from '../table.ts';
import { version } from '../version.ts';

export const versionCommand: Command = {
  name: 'version',
  summary: 'show the version',
  about: 'Shows the version of gptj, and of what it runs on. gptj --version prints the version alone.',
  arguments: [],
  groups: [{ title: 'options', options: [JSON_OPTION] }],
  examples: [{ line: 'gptj version', caption: 'for a report of a problem' }],

  async run({ stdout }, options) {
    const facts = { gptj: version(), node: process.versions.node, platform: `${process.platform}-${process.arch}` };
    if (isOn(options, 'json')) writeJson(stdout, { ...facts, systemRelease: release() });
    else stdout.write(renderPairs([...Object.entries(facts), ['system', release()]], widthOf(stdout)));
  },
};
