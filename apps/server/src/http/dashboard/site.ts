import { createHash } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { z } from 'zod';
import type { Logger } from '../../telemetry/logger.ts';

/** One file of the site, with its compressed variants where the build made them. */
export interface SiteFile {
  readonly type: string;
  readonly etag: string;
  readonly identity: Uint8Array<ArrayBuffer>;
  readonly br: Uint8Array<ArrayBuffer> | undefined;
  readonly gzip: Uint8Array<ArrayBuffer> | undefined;
}

/** A built site, held in memory: a request reads no path of the disk. */
export interface SiteContents {
  /** The page that every address of the dashboard answers. */
  readonly shell: SiteFile;
  /** Other files by their address: `/assets/index-1a2b3c.js`. */
  readonly files: ReadonlyMap<string, SiteFile>;
  /** Sources of `style-src` beside the site's own files. */
  readonly styleHashes: readonly string[];
}

/** The folder of a site, which a build may replace at any time. */
export interface Site {
  /** The site as it is built now; null until the first build has ended. */
  contents(): Promise<SiteContents | null>;
}

/** Written last by the build, with the hashes of the styles that its libraries insert. */
const DESCRIPTION = 'site.json';
const descriptionSchema = z.object({ style_hashes: z.array(z.string().regex(/^sha256-[\w+/]+=*$/)) });

const TYPES: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  svg: 'image/svg+xml',
  png: 'image/png',
  ico: 'image/x-icon',
  woff2: 'font/woff2',
  webmanifest: 'application/manifest+json',
  txt: 'text/plain; charset=utf-8',
};

export function openSite(folder: string, logger: Logger): Site {
  let known: { readonly version: string; readonly contents: Promise<SiteContents | null> } | null = null;
  return {
    async contents() {
      const version = await versionOf(folder);
      // Between two builds the folder is missing for a moment: the site that was read goes on.
      if (version !== null && version !== known?.version) {
        const before = known?.contents ?? Promise.resolve(null);
        const contents = readSite(folder).catch(async (error: unknown) => {
          logger.warn('the files of the dashboard could not be read', { folder, error });
          known = null;
          return await before;
        });
        known = { version, contents };
      }
      return (await known?.contents) ?? null;
    },
  };
}

async function versionOf(folder: string): Promise<string | null> {
  try {
    const { mtimeMs, ino } = await stat(join(folder, DESCRIPTION));
    return `${ino}:${mtimeMs}`;
  } catch {
    return null;
  }
}

async function readSite(folder: string): Promise<SiteContents> {
  const description: unknown = JSON.parse(await readFile(join(folder, DESCRIPTION), 'utf8'));
  const { style_hashes: styleHashes } = descriptionSchema.parse(description);
  const names = (await readdir(folder, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) =>
      join(entry.parentPath, entry.name)
        .slice(folder.length + 1)
        .split(sep)
        .join('/'),
    );
  const all = new Set(names);
  const files = new Map<string, SiteFile>();
  for (const name of names) {
    const type = TYPES[name.slice(name.lastIndexOf('.') + 1)];
    if (type === undefined || name.startsWith('.')) continue;
    const variant = async (end: string) => (all.has(name + end) ? await readFile(join(folder, name + end)) : undefined);
    const identity = await readFile(join(folder, name));
    const etag = `"${createHash('sha256').update(identity).digest('base64url')}"`;
    files.set(`/${name}`, { type, etag, identity, br: await variant('.br'), gzip: await variant('.gz') });
  }
  const shell = files.get('/index.html');
  if (shell === undefined) throw new Error(`expected index.html in ${folder}, found none`);
  files.delete('/index.html');
  return { shell, files, styleHashes };
}
