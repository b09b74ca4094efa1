import { createTransport } from 'nodemailer';
import type { Logger } from '../telemetry/logger.ts';

/** A plain-text message to one address. The subject never contains user input. */
export interface MailMessage {
  readonly to: string;
  readonly subject: string;
  readonly text: string;
}

export interface Mailer {
  /** Queue a message. Returns at once, so that the time of a reply does not reveal whether an address has an account. */
  send(message: MailMessage): void;
  /** Wait for messages in flight. Idempotent. */
  close(): Promise<void>;
}

/** Sends through an SMTP server (`smtp://` or `smtps://user:password@host:port`). Failures are logged, not retried. */
export function createSmtpMailer(url: string, from: string, logger: Logger): Mailer {
  const inFlight = new Set<Promise<unknown>>();
  const timeouts = { connectionTimeout: 10_000, greetingTimeout: 10_000, socketTimeout: 20_000 };
  const transport = createTransport({ url, ...timeouts }, { from, disableFileAccess: true, disableUrlAccess: true });
  return {
    send(message) {
      const sent = transport
        .sendMail({ ...message })
        .catch((error: unknown) => logger.error('mail could not be sent', { subject: message.subject, error }))
        .finally(() => inFlight.delete(sent));
      inFlight.add(sent);
    },
    async close() {
      await Promise.all(inFlight);
      transport.close();
    },
  };
}

/** Without an SMTP server: messages, with their links, go to the log, for the operator to pass on. */
export function createLogMailer(logger: Logger): Mailer {
  return {
    send: (message) => logger.warn('mail was not sent: SMTP_URL is not set; pass it on', { ...message }),
    close: async () => undefined,
  };
}
