// The table of docs/scale-out.md: what a completions server makes of each parameter, from the records that refuse requests.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const COLUMNS = ['exactly', 'in distribution', 'not'];

/** Render one row for each parameter, those that are honoured first. */
export async function renderRemoteParameters(root) {
  const file = join(root, 'packages/engine/dist/index.js');
  const { describeRemoteParameters } = await import(pathToFileURL(file).href);
  const parameters = describeRemoteParameters();
  const rows = COLUMNS.flatMap((honoured) => parameters.filter((each) => each.honoured === honoured));
  return [
    '| parameter | honoured | condition |',
    '| --- | --- | --- |',
    ...rows.map(({ name, honoured, note = '' }) => `| \`${name}\` | ${honoured} | ${note} |`),
  ].join('\n');
}
