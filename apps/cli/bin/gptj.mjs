#!/usr/bin/env node
// Committed JavaScript, not a file of dist/: npm links a command only when its file exists at installation, before
// anything is compiled.
import { existsSync } from 'node:fs';

const main = new URL('../dist/main.js', import.meta.url);
if (existsSync(main)) {
  await import(main.href);
} else {
  console.error('gptj: not compiled yet; run: npm run build');
  process.exitCode = 1;
}
