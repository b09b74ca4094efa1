/** All commands of `gptj`, in the order of help. */
import type { CommandEntry } from './command.ts';
import { adminCommands } from './commands/admin.ts';
import { convertCommand } from './commands/convert.ts';
import { generateCommand } from './commands/generate.ts';
import { inspectCommand } from './commands/inspect.ts';
import { loginCommand } from './commands/login.ts';
import { logoutCommand } from './commands/logout.ts';
import { profileCommands } from './commands/profiles.ts';
import { runCommand } from './commands/run.ts';
import { runsCommands } from './commands/runs.ts';
import { serveCommand } from './commands/serve.ts';
import { serverCommand } from './commands/server.ts';
import { tokensCommands } from './commands/tokens.ts';
import { versionCommand } from './commands/version.ts';
import { whoamiCommand } from './commands/whoami.ts';
import type { CommandSection } from './help.ts';

export const COMMAND_SECTIONS: readonly CommandSection[] = [
  {
    title: 'on this machine',
    entries: [serveCommand, generateCommand, convertCommand, inspectCommand],
  },
  { title: 'on a server', entries: [runCommand, runsCommands, serverCommand] },
  { title: 'account', entries: [loginCommand, logoutCommand, whoamiCommand, profileCommands, tokensCommands] },
  { title: 'administration', entries: [adminCommands] },
  { title: 'this program', entries: [versionCommand] },
];

export const COMMANDS: readonly CommandEntry[] = COMMAND_SECTIONS.flatMap(({ entries }) => entries);
