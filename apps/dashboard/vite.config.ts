import { fileURLToPath } from 'node:url';
import react from '@vitejs/plugin-react';
import { defineConfig, type Plugin } from 'vite';

// The server that `vite` passes the API's addresses on to.
const SERVER = process.env.GPTJ_URL ?? 'http://127.0.0.1:8080';
const API = ['v1', 'v2', 'docs', 'openapi.json', 'healthz', 'readyz', 'metrics'];

const sourceOf = (name: string): string =>
  fileURLToPath(new URL(`../../packages/${name}/src/index.ts`, import.meta.url));

/** Texts of react-aria by language. Pages are in English, and the others would be a large part of a page with a table. */
const TEXTS = /\/intl\/(?:[a-z]+\/)?(?!en-US)[a-z]{2}-[A-Z]{2}\.mjs$/;

// A browser in another language finds the English texts under its own.
const ENGLISH = "export { default } from './en-US.mjs';";

const englishOnly: Plugin = {
  name: 'english-only',
  enforce: 'pre',
  load: (id) => (id.includes('/node_modules/react-') && TEXTS.test(id) ? ENGLISH : undefined),
};

export default defineConfig({
  plugins: [englishOnly, react()],
  // Workspace packages are bundled from their TypeScript, so that this build does not wait for `tsc -b`. Not by the condition
  // `source`: packages of others state it as well, for files that they do not ship.
  resolve: {
    alias: {
      '@gptj-cloud/sdk': sourceOf('sdk'),
      '@gptj-cloud/decoding': sourceOf('decoding'),
      '@gptj-cloud/model': sourceOf('model'),
      '@gptj-cloud/protocol': sourceOf('protocol'),
    },
  },
  server: { proxy: Object.fromEntries(API.map((segment) => [`/${segment}`, SERVER])) },
  build: {
    outDir: 'site',
    emptyOutDir: true,
    // The Content-Security-Policy allows no data: scripts and no inline script.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    manifest: true,
    reportCompressedSize: false,
    rolldownOptions: {
      output: {
        codeSplitting: {
          // Every page loads these. In one file they are compressed together, 5 % smaller than in 30.
          groups: [
            { name: 'framework', test: /\/node_modules\/(?:react|react-dom|scheduler|@tanstack)\// },
            { name: 'sdk', test: /\/packages\/sdk\/src\// },
          ],
        },
      },
    },
  },
});
