import { randomBytes } from 'node:crypto';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Mailer, MailMessage } from '../identity/mailer.ts';
import { makeFolder } from '../store/make-folder.ts';
import type { Logger } from '../telemetry/logger.ts';
import { writeSecret } from './write-secret.ts';

export interface FileMailerOptions {
  /** Folder of the messages, created when it is missing. */
  readonly folder: string;
  readonly clock: () => Date;
  readonly logger: Logger;
}

/** Everyone can request mail: the oldest files beyond this many are deleted. */
const MAX_FILES = 200;

/**
 * Without a mail server, where the log is kept: each message is a file that the server's user alone can read, because its
 * link stands for a credential. The log names the file, for the operator to pass it on.
 */
export function createFileMailer({ folder, clock, logger }: FileMailerOptions): Mailer {
  // One after the other: each write deletes what is too much.
  let written = Promise.resolve();
  const write = async (message: MailMessage): Promise<void> => {
    await makeFolder(folder, 0o700);
    const at = clock().toISOString().replaceAll(':', '-');
    const file = join(folder, `${at}-${randomBytes(4).toString('hex')}.txt`);
    await writeSecret(file, `To: ${message.to}\nSubject: ${message.subject}\n\n${message.text}\n`);
    logger.warn('mail was not sent: SMTP_URL is not set; pass the file on', {
      to: message.to,
      subject: message.subject,
      file,
    });
    const files = (await readdir(folder)).filter((name) => name.endsWith('.txt')).sort();
    await Promise.all(files.slice(0, -MAX_FILES).map((name) => rm(join(folder, name), { force: true })));
  };
  return {
    send(message) {
      written = written
        .then(() => write(message))
        .catch((error: unknown) => logger.error('mail could not be written', { subject: message.subject, error }));
    },
    close: () => written,
  };
}
