/** All commands of `gptj`, in the order of help. */
import type { CommandEntry } from './command.ts';
import { adapterCommands } from './commands/adapter.ts';
import { adminCommands } from './commands/admin.ts';
import { exportCommand, importCommand } from './commands/bundle.ts';
import { chatCommand } from './commands/chat.ts';
import { completionCommand } from './commands/completion.ts';
import { convertCommand } from './commands/convert.ts';
import { doctorCommand } from './commands/doctor.ts';
import { evalCommands } from './commands/eval.ts';
import { filesCommands } from './commands/files.ts';
import { generateCommand } from './commands/generate.ts';
import { imatrixCommand } from './commands/imatrix.ts';
import { inspectCommand } from './commands/inspect.ts';
import { loginCommand } from './commands/login.ts';
import { logoutCommand } from './commands/logout.ts';
import { listCommand, removeCommand } from './commands/models.ts';
import { pipelinesCommands } from './commands/pipelines.ts';
import { plansCommands } from './commands/plans.ts';
import { presetsCommands } from './commands/presets.ts';
import { probeCommand } from './commands/probe.ts';
import { profileCommands } from './commands/profiles.ts';
import { projectsCommands } from './commands/projects.ts';
import { pullCommand } from './commands/pull.ts';
import { qualityCommand } from './commands/quality.ts';
import { runCommand } from './commands/run.ts';
import { runsCommands } from './commands/runs.ts';
import { serveCommand } from './commands/serve.ts';
import { serverCommand } from './commands/server.ts';
import { detokenizeCommand, tokenizeCommand } from './commands/tokenize.ts';
import { tokensCommands } from './commands/tokens.ts';
import { usageCommand } from './commands/usage.ts';
import { usersCommands } from './commands/users.ts';
import { versionCommand } from './commands/version.ts';
import { webhooksCommands } from './commands/webhooks.ts';
import { whoamiCommand } from './commands/whoami.ts';
import { workerCommand } from './commands/worker.ts';
import type { CommandSection } from './help.ts';

export const COMMAND_SECTIONS: readonly CommandSection[] = [
  {
    title: 'on this machine',
    entries: [
      serveCommand,
      workerCommand,
      generateCommand,
      chatCommand,
      pullCommand,
      listCommand,
      removeCommand,
      exportCommand,
      importCommand,
      adapterCommands,
      convertCommand,
      doctorCommand,
      inspectCommand,
      qualityCommand,
      imatrixCommand,
      probeCommand,
      evalCommands,
    ],
  },
  {
    title: 'on a server',
    entries: [
      runCommand,
      runsCommands,
      tokenizeCommand,
      detokenizeCommand,
      pipelinesCommands,
      presetsCommands,
      filesCommands,
      serverCommand,
    ],
  },
  {
    title: 'account',
    entries: [
      loginCommand,
      logoutCommand,
      whoamiCommand,
      profileCommands,
      tokensCommands,
      projectsCommands,
      webhooksCommands,
      usageCommand,
    ],
  },
  { title: 'administration', entries: [usersCommands, plansCommands, adminCommands] },
  { title: 'this program', entries: [completionCommand(() => COMMANDS), versionCommand] },
];

export const COMMANDS: readonly CommandEntry[] = COMMAND_SECTIONS.flatMap(({ entries }) => entries);
