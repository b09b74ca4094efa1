import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

// The server that `vite` passes the API's addresses on to.
const SERVER = process.env.GPTJ_URL ?? 'http://127.0.0.1:8080';
const API = ['v1', 'v2', 'docs', 'openapi.json', 'healthz', 'readyz', 'metrics'];

export default defineConfig({
  plugins: [react()],
  // Workspace packages are bundled from their TypeScript, so that this build does not wait for `tsc -b`.
  resolve: { conditions: ['source', 'module', 'browser', 'development|production'] },
  server: { proxy: Object.fromEntries(API.map((segment) => [`/${segment}`, SERVER])) },
  build: {
    outDir: 'site',
    emptyOutDir: true,
    // The Content-Security-Policy allows no data: scripts and no inline script.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    manifest: true,
    reportCompressedSize: false,
  },
});
