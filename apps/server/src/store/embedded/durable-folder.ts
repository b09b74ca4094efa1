/**
 * The folder of the embedded PostgreSQL. PGlite's own file system writes through, but never asks the operating system to
 * put a write on the disk; here PostgreSQL's `fsync` does so, for its files and, after a file was created or renamed, for
 * their folders. PostgreSQL orders the rest: the log before the commit that is acknowledged, the data before the
 * checkpoint that relies on them.
 */
import fs from 'node:fs';
import { join } from 'node:path';
import { NodeFS } from '@electric-sql/pglite/nodefs';

type InitArguments = Parameters<NodeFS['init']>;

/** What happens to the folder; for the length of the log, and for tests. */
export interface FolderObserver {
  /** Bytes were written to a file; `path` is absolute. */
  onWrite?(path: string, position: number, bytes: Uint8Array): void;
  /** A file or folder is on the disk with all that was written to it before. */
  onSync?(path: string): void;
  /** A file was made, cut to a length, renamed or removed. */
  onChange?(change: FolderChange): void;
}

export type FolderChange =
  | { readonly type: 'create' | 'remove'; readonly path: string }
  | { readonly type: 'truncate'; readonly path: string; readonly size: number }
  | { readonly type: 'rename'; readonly from: string; readonly to: string };

/** The parts of Emscripten's file system over Node that are used here. */
interface NodeStream {
  readonly node: { readonly mode: number };
  readonly nfd: number;
}
interface NodeFileSystem {
  tryFSOperation<Result>(work: () => Result): Result;
  realPath(node: NodeStream['node']): string;
  readonly node_ops: {
    mknod(parent: NodeStream['node'], name: string, mode: number, dev: unknown): NodeStream['node'];
    rename(node: NodeStream['node'], folder: NodeStream['node'], name: string): void;
    unlink(parent: NodeStream['node'], name: string): void;
    setattr(node: NodeStream['node'], attributes: { readonly size?: number }): void;
  };
  readonly stream_ops: {
    setattr(stream: NodeStream, attributes: { readonly size?: number }): void;
    fsync?: (stream: NodeStream) => number;
    write(stream: NodeStream, buffer: Uint8Array, offset: number, length: number, position: number): number;
  };
}

export class DurableFolder extends NodeFS {
  readonly #observer: FolderObserver;

  constructor(folder: string, observer: FolderObserver = {}) {
    super(folder);
    this.#observer = observer;
  }

  override async init(...[pglite, options]: InitArguments): ReturnType<NodeFS['init']> {
    const { emscriptenOpts } = await super.init(pglite, options);
    const install = (module: object): void => installSync(nodeFileSystem(module), this.#observer);
    return { emscriptenOpts: { ...emscriptenOpts, preRun: [...(emscriptenOpts.preRun ?? []), install] } };
  }
}

function installSync(files: NodeFileSystem, observer: FolderObserver): void {
  const { stream_ops: operations } = files;
  const { write } = operations;
  operations.fsync = (stream) => {
    files.tryFSOperation(() => {
      // A file needs its bytes and its length, not its times, on the disk.
      if (isFolder(stream)) fs.fsyncSync(stream.nfd);
      else fs.fdatasyncSync(stream.nfd);
    });
    observer.onSync?.(files.realPath(stream.node));
    return 0;
  };
  if (observer.onChange !== undefined) installChanges(files, (change) => observer.onChange?.(change));
  if (observer.onWrite === undefined) return;
  operations.write = (stream, buffer, offset, length, position) => {
    const written = write(stream, buffer, offset, length, position);
    observer.onWrite?.(files.realPath(stream.node), position, buffer.subarray(offset, offset + written));
    return written;
  };
}

function installChanges(files: NodeFileSystem, onChange: (change: FolderChange) => void): void {
  const { node_ops: nodes, stream_ops: streams } = files;
  const { mknod, rename, unlink, setattr } = nodes;
  const { setattr: setStream } = streams;
  nodes.mknod = (parent, name, mode, dev) => {
    const node = mknod(parent, name, mode, dev);
    if ((mode & fs.constants.S_IFMT) === fs.constants.S_IFREG) onChange({ type: 'create', path: files.realPath(node) });
    return node;
  };
  nodes.rename = (node, folder, name) => {
    const from = files.realPath(node);
    rename(node, folder, name);
    onChange({ type: 'rename', from, to: join(files.realPath(folder), name) });
  };
  nodes.unlink = (parent, name) => {
    unlink(parent, name);
    onChange({ type: 'remove', path: join(files.realPath(parent), name) });
  };
  nodes.setattr = (node, attributes) => {
    setattr(node, attributes);
    if (attributes.size !== undefined)
      onChange({ type: 'truncate', path: files.realPath(node), size: attributes.size });
  };
  streams.setattr = (stream, attributes) => {
    setStream(stream, attributes);
    const { size } = attributes;
    if (size !== undefined) onChange({ type: 'truncate', path: files.realPath(stream.node), size });
  };
}

function isFolder({ node }: NodeStream): boolean {
  return (node.mode & fs.constants.S_IFMT) === fs.constants.S_IFDIR;
}

function nodeFileSystem(module: object): NodeFileSystem {
  const files: unknown = Reflect.get(module, 'NODEFS');
  if (!isNodeFileSystem(files)) throw new Error('expected a PGlite with a file system over Node, got another version');
  return files;
}

function isNodeFileSystem(value: unknown): value is NodeFileSystem {
  return (
    typeof value === 'object' &&
    value !== null &&
    'tryFSOperation' in value &&
    'realPath' in value &&
    'node_ops' in value &&
    'stream_ops' in value &&
    typeof value.stream_ops === 'object'
  );
}
