import { readFile, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import type { StoredFile } from '@gptj-cloud/sdk';
import { writeJson } from '../client/api-json.ts';
import { JSON_OPTION, SERVER_GROUP } from '../client/client-options.ts';
import { openClient } from '../client/open-client.ts';
import type { Argument, Command, CommandContext, CommandGroup } from '../command.ts';
import { formatBytes } from '../figures.ts';
import { isOn, type ParsedOptions, UsageError } from '../options.ts';
import { printable } from '../printable.ts';
import { writeNewFile } from '../write-new-file.ts';
import { idsCommand } from './act-on-ids.ts';

const FILE: Argument = { name: 'FILE', summary: 'id of the file: file_…' };
const EXAMPLE_ID = 'file_65e4c145826057253d1161ea47b7ec99';
/** The upload holds the file in memory, once as bytes and once as hexadecimal digits. */
const MAX_UPLOAD_BYTES = 256 * 1024 * 1024;

const uploadCommand: Command = {
  name: 'upload',
  summary: 'store a file on the server',
  about: 'Stores a file in the project and prints its id.',
  arguments: [{ name: 'PATH', summary: 'the file', values: 'file' }],
  groups: [
    {
      title: 'options',
      options: [
        { name: 'name', value: 'NAME', summary: 'its name on the server', default: 'that of the file' },
        JSON_OPTION,
      ],
    },
    SERVER_GROUP,
  ],
  examples: [{ line: 'gptj files upload inputs.pkl', caption: 'the input of a later run' }],

  async run(context, options) {
    const { signal } = context;
    const [path = ''] = options.positionals;
    const found = await stat(path).catch((cause: unknown) => {
      throw new UsageError(`${path}: expected a readable file`, { cause });
    });
    if (!found.isFile() || found.size > MAX_UPLOAD_BYTES) {
      throw new UsageError(`${path}: expected a file of at most ${formatBytes(MAX_UPLOAD_BYTES)}`);
    }
    const { api } = await openClient(context, options);
    const bytes = Uint8Array.from(await readFile(path));
    writeFact(
      context,
      options,
      await api.files.upload(options.values.get('name') ?? basename(path), bytes, { signal }),
    );
  },
};

const getCommand: Command = {
  name: 'get',
  summary: 'show name and size of a file',
  about: 'Shows the name and the size of a file.',
  arguments: [FILE],
  groups: [{ title: 'options', options: [JSON_OPTION] }, SERVER_GROUP],
  examples: [{ line: `gptj files get ${EXAMPLE_ID}`, caption: 'a file of a run' }],

  async run(context, options) {
    const { api } = await openClient(context, options);
    writeFact(context, options, await api.files.get(options.positionals[0]!, { signal: context.signal }));
  },
};

const downloadCommand: Command = {
  name: 'download',
  summary: 'write a file of the server to this machine',
  about: 'Writes the bytes of a file. The result of a run is a Python pickle of the list of its outputs.',
  arguments: [FILE, { name: 'PATH', summary: 'where to', values: 'file' }],
  groups: [
    {
      title: 'options',
      options: [{ name: 'overwrite', value: null, summary: 'replace PATH if it exists' }, JSON_OPTION],
    },
    SERVER_GROUP,
  ],
  examples: [{ line: `gptj files download ${EXAMPLE_ID} result.pkl`, caption: 'the result of a run' }],

  async run(context, options) {
    const { stdout, signal } = context;
    const [id = '', path = ''] = options.positionals;
    const { api } = await openClient(context, options);
    const bytes = await api.files.bytes(id, { signal });
    await writeNewFile(path, bytes, { overwrite: isOn(options, 'overwrite') });
    if (isOn(options, 'json')) writeJson(stdout, { id, path, sizeBytes: bytes.length });
    else stdout.write(`${printable(path)}: ${formatBytes(bytes.length)}\n`);
  },
};

const deleteCommand = idsCommand({
  name: 'delete',
  summary: 'delete files of the server',
  about: 'Deletes files that are neither data nor the result of a run.',
  argument: FILE,
  examples: [{ line: `gptj files delete ${EXAMPLE_ID}`, caption: 'delete a file' }],
  act: async (api, id, { signal }) => {
    await api.deleteFile(id, { signal });
    return { fields: { deleted: true }, words: 'deleted' };
  },
});

export const filesCommands: CommandGroup = {
  name: 'files',
  summary: 'upload and download files of the project',
  about: 'Files of the project on the server: inputs and results of runs, and uploads.',
  commands: [uploadCommand, getCommand, downloadCommand, deleteCommand],
};

function writeFact({ stdout }: CommandContext, options: ParsedOptions, file: StoredFile): void {
  if (isOn(options, 'json')) writeJson(stdout, file);
  // The API counts hexadecimal digits.
  else stdout.write(`${file.id}: ${printable(file.name)}, ${formatBytes(file.fileSize / 2)}\n`);
}
