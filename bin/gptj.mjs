#!/usr/bin/env node
// The command `gptj` of an installation from git, where npm has written `packed`, and of a clone, as `npx PATH` runs it.
import { existsSync } from 'node:fs';

const packed = new URL('../packed/bin/gptj.mjs', import.meta.url);
await import(existsSync(packed) ? packed.href : '../scripts/run-clone.mjs');
