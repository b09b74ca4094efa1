export type { CommandContext } from './command.ts';
export { runCommandLine } from './command-line.ts';
export { type Output, streamOutput } from './output.ts';
