// Check: generated sections of pages are up to date.

/** Findings for the pages that `render` resolves to (see `renderPages`); a page that cannot be rendered is a finding too. */
export async function checkGeneratedDocs(render) {
  try {
    const pages = await render();
    return pages
      .filter(({ current, expected }) => current !== expected)
      .map(({ path }) => `${path}: a generated section is out of date; run npm run docs and commit the page`);
  } catch (error) {
    return [error.message];
  }
}
