/** The pages of the manual, in the order of its navigation. Everything that lists pages derives from these records. */

export interface ManualPage {
  /** Last part of the address: `/docs/<slug>`. The first page is `/docs` itself. */
  readonly slug: string;
  /** In the navigation. */
  readonly title: string;
  /** Below the folder of the manual. */
  readonly file: string;
}

export interface ManualSection {
  readonly title: string;
  readonly pages: readonly ManualPage[];
}

export const MANUAL_SECTIONS: readonly ManualSection[] = [
  {
    title: 'Guides',
    pages: [
      { slug: 'quick-start', title: 'Quick start', file: 'guide/quick-start.md' },
      { slug: 'get-the-weights', title: 'Get GPT-J-6B', file: 'guide/get-the-weights.md' },
      { slug: 'adapters', title: 'LoRA adapters', file: 'guide/adapters.md' },
      { slug: 'base-model', title: 'Writing with a base model', file: 'guide/base-model.md' },
      { slug: 'sampling', title: 'Sampling explained', file: 'guide/sampling.md' },
      { slug: 'zero-shot', title: 'The zero-shot table', file: 'guide/zero-shot.md' },
      { slug: 'team', title: 'A server for a team', file: 'guide/team.md' },
      { slug: 'from-openai', title: 'From OpenAI', file: 'guide/from-openai.md' },
      { slug: 'from-hugging-face', title: 'From Hugging Face', file: 'guide/from-hugging-face.md' },
      { slug: 'typescript', title: 'The TypeScript client', file: 'guide/typescript.md' },
      { slug: 'python', title: 'The Python client', file: 'guide/python.md' },
      { slug: 'faq', title: 'Questions', file: 'guide/faq.md' },
    ],
  },
  {
    title: 'Reference',
    pages: [
      { slug: 'api', title: 'The API in words', file: 'api.md' },
      { slug: 'generate', title: 'Parameters of generate', file: 'generate.md' },
      { slug: 'cli', title: 'The command line', file: 'cli.md' },
      { slug: 'errors', title: 'Errors', file: 'errors.md' },
      { slug: 'checkpoints', title: 'Model files', file: 'checkpoints.md' },
    ],
  },
  {
    title: 'Running a server',
    pages: [
      { slug: 'operations', title: 'Operations', file: 'operations.md' },
      { slug: 'deploy', title: 'Containers and monitoring', file: 'deploy.md' },
      { slug: 'scale-out', title: 'A GPU server as the engine', file: 'scale-out.md' },
      { slug: 'security', title: 'Security', file: 'security.md' },
      { slug: 'decisions', title: 'Decisions', file: 'decisions.md' },
    ],
  },
];

const PAGES: readonly ManualPage[] = MANUAL_SECTIONS.flatMap(({ pages }) => pages);

/** The page that `/docs` shows. */
export const FIRST_PAGE: ManualPage = MANUAL_SECTIONS[0]?.pages[0] ?? failNoPage();

export function findManualPage(slug: string): ManualPage | undefined {
  return PAGES.find((page) => page.slug === slug);
}

/** The page that a file holds, by its path below the folder of the manual. */
export function findPageOfFile(file: string): ManualPage | undefined {
  return PAGES.find((page) => page.file === file);
}

export function addressOf(page: ManualPage): string {
  return page === FIRST_PAGE ? '/docs' : `/docs/${page.slug}`;
}

function failNoPage(): never {
  throw new Error('the manual has no page');
}
