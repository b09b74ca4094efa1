/** The manual of a running server: the pages of docs/ and the reference of its own routes, as HTML. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { OpenApiDocument } from '../openapi/openapi-document.ts';
import { framePage, type NavigationLink, type NavigationSection } from './manual-frame.ts';
import {
  addressOf,
  FIRST_PAGE,
  findManualPage,
  findPageOfFile,
  MANUAL_SECTIONS,
  type ManualPage,
} from './manual-pages.ts';
import { type Heading, renderMarkdown } from './markdown.ts';
import {
  operationAddress,
  type ReferenceSection,
  referenceOverview,
  referenceSectionPage,
  referenceSections,
  shapesPage,
} from './reference-page.ts';

export interface ManualOptions {
  /** The folder `docs`; null: the manual has the reference alone. */
  readonly folder: string | null;
  /** Called once, at the first request. */
  readonly document: () => OpenApiDocument;
  /** Address of this server in examples, without a slash at its end. */
  readonly origin: () => string;
}

export interface Manual {
  /** A page of the manual; null: there is none. `slug` null is the first page. */
  page(slug: string | null): Promise<string | null>;
  /** A part of the reference; null: there is none. `slug` null is the list of all operations. */
  reference(slug: string | null): Promise<string | null>;
  /** A picture of the manual; null: there is none. */
  picture(name: string): Promise<Uint8Array<ArrayBuffer> | null>;
}

const PICTURES = 'screens';
const SHAPES = 'shapes';
const REFERENCE: NavigationLink = { address: '/docs/reference', title: 'All operations' };

export function openManual({ folder, document: describe, origin }: ManualOptions): Manual {
  // Pages are rendered once: the files of an installed server do not change.
  const rendered = new Map<string, Promise<string | null>>();
  const once = async (key: string, render: () => Promise<string | null>): Promise<string | null> => {
    const known = rendered.get(key) ?? render();
    rendered.set(key, known);
    try {
      return await known;
    } catch (error) {
      rendered.delete(key);
      throw error;
    }
  };
  let built: { readonly document: OpenApiDocument; readonly sections: readonly ReferenceSection[] } | null = null;
  const api = () => {
    if (built === null) {
      const document = describe();
      built = { document, sections: referenceSections(document) };
    }
    return built;
  };
  const navigation = (): readonly NavigationSection[] => [
    ...(folder === null ? [] : MANUAL_SECTIONS.map(navigationSection)),
    {
      title: 'API reference',
      links: [
        REFERENCE,
        ...api().sections.map(({ slug, tag }) => ({ address: `/docs/reference/${slug}`, title: tag })),
        { address: `/docs/reference/${SHAPES}`, title: 'Shapes' },
      ],
    },
  ];

  async function writtenPage(directory: string, page: ManualPage): Promise<string> {
    const text = await readFile(join(directory, page.file), 'utf8');
    const { body, headings } = renderMarkdown(text, page.file, linkTarget);
    return await framePage({
      title: page.title,
      address: addressOf(page),
      navigation: navigation(),
      contents: headings.filter(({ depth }) => depth === 2).map(headingLink),
      body,
      version: api().document.info.version,
    });
  }

  async function referencePage(slug: string | null): Promise<string | null> {
    const { document, sections } = api();
    const part = partOf(slug, document, sections, origin());
    if (part === null) return null;
    const address = slug === null ? REFERENCE.address : `/docs/reference/${slug}`;
    return await framePage({ ...part, address, navigation: navigation(), version: document.info.version });
  }

  return {
    async page(slug) {
      if (folder === null) return slug === null ? await this.reference(null) : null;
      const page = slug === null ? FIRST_PAGE : findManualPage(slug);
      return page === undefined ? null : await once(`page ${page.slug}`, () => writtenPage(folder, page));
    },
    async reference(slug) {
      if (slug !== null && slug !== SHAPES && !api().sections.some((each) => each.slug === slug)) return null;
      return await once(`reference ${slug ?? ''}`, () => referencePage(slug));
    },
    async picture(name) {
      // Names are compared with those of the folder: no path of a request reaches the disk.
      if (folder === null || !(await readdir(join(folder, PICTURES))).includes(name) || !name.endsWith('.png'))
        return null;
      return new Uint8Array(await readFile(join(folder, PICTURES, name)));
    },
  };
}

function partOf(
  slug: string | null,
  document: OpenApiDocument,
  sections: readonly ReferenceSection[],
  origin: string,
): Pick<Parameters<typeof framePage>[0], 'title' | 'contents' | 'body'> | null {
  if (slug === null) return { title: 'API reference', contents: [], body: referenceOverview(document, sections) };
  if (slug === SHAPES) return { title: 'Shapes', contents: [], body: shapesPage(document) };
  const section = sections.find((each) => each.slug === slug);
  if (section === undefined) return null;
  const contents = section.operations.map((each) => ({
    address: operationAddress(section, each),
    title: `${each.method.toUpperCase()} ${each.path}`,
  }));
  return { title: section.tag, contents, body: referenceSectionPage(section, document, origin) };
}

function navigationSection({ title, pages }: (typeof MANUAL_SECTIONS)[number]): NavigationSection {
  return { title, links: pages.map((page) => ({ address: addressOf(page), title: page.title })) };
}

function headingLink({ anchor, text }: Heading): NavigationLink {
  return { address: `#${anchor}`, title: text };
}

/** A file below docs/, or a folder above it, which no server serves. */
function linkTarget(file: string): string | null {
  const page = findPageOfFile(file);
  if (page !== undefined) return addressOf(page);
  return file.startsWith(`${PICTURES}/`) ? `/docs/${file}` : null;
}
