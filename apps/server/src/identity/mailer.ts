import { createTransport } from 'nodemailer';
import type { Logger } from '../telemetry/logger.ts';

/** Plain text to one address. Lines of the subject never come from users. */
export interface MailMessage {
  readonly to: string;
  readonly subject: string;
  readonly text: string;
}

export interface Mailer {
  /** Hand over a message. Returns at once: whether an address has an account must not show in how long a reply takes. */
  send(message: MailMessage): void;
  /** Wait for what is under way. Idempotent. */
  close(): Promise<void>;
}

/** Sends through an SMTP server (`smtp://` or `smtps://user:password@host:port`). What fails is logged, and not tried again. */
export function createSmtpMailer(url: string, from: string, logger: Logger): Mailer {
  const underWay = new Set<Promise<unknown>>();
  const timeouts = { connectionTimeout: 10_000, greetingTimeout: 10_000, socketTimeout: 20_000 };
  const transport = createTransport({ url, ...timeouts }, { from, disableFileAccess: true, disableUrlAccess: true });
  return {
    send(message) {
      const sent = transport
        .sendMail({ ...message })
        .catch((error: unknown) => logger.error('mail could not be sent', { subject: message.subject, error }))
        .finally(() => underWay.delete(sent));
      underWay.add(sent);
    },
    async close() {
      await Promise.all(underWay);
      transport.close();
    },
  };
}

/** Where no SMTP server is set: messages, with their links, go to the log for the operator to pass on. */
export function createLogMailer(logger: Logger): Mailer {
  return {
    send: (message) => logger.warn('mail was not sent: SMTP_URL is not set', { ...message }),
    close: async () => undefined,
  };
}
