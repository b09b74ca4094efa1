import { CopyCode } from '../ui/copy-code.tsx';

const PYTHON = `import base64, hashlib, hmac, time

def is_genuine(secret: str, headers: dict, body: bytes) -> bool:
    """Whether this server sent the message within the last five minutes."""
    sent_at = headers["webhook-timestamp"]
    if abs(time.time() - int(sent_at)) > 300:
        return False
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = b".".join([headers["webhook-id"].encode(), sent_at.encode(), body])
    expected = "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    return any(hmac.compare_digest(expected, given) for given in headers["webhook-signature"].split(" "))`;

const TYPESCRIPT = `import { createHmac, timingSafeEqual } from 'node:crypto';

/** Whether this server sent the message within the last five minutes. */
function isGenuine(secret: string, headers: Record<string, string>, body: string): boolean {
  const sentAt = headers['webhook-timestamp'] ?? '';
  if (Math.abs(Date.now() / 1000 - Number(sentAt)) > 300) return false;
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
  const signed = [headers['webhook-id'], sentAt, body].join('.');
  const expected = Buffer.from('v1,' + createHmac('sha256', key).update(signed).digest('base64'));
  return (headers['webhook-signature'] ?? '').split(' ').some((given) => {
    const bytes = Buffer.from(given);
    return bytes.length === expected.length && timingSafeEqual(bytes, expected);
  });
}`;

/** How a receiver checks that a message is genuine. */
export function SignatureHelp() {
  return (
    <section className="ui-stack">
      <h2>Check the signature</h2>
      <p className="webhooks-help">
        Every message is signed as Standard Webhooks describes. Check it over the bytes of the body before you parse
        them, and store the ids: a message may arrive twice. While a rotation overlaps there are two signatures, and
        either is enough.
      </p>
      <CopyCode
        tabs={[
          { id: 'python', label: 'Python', code: PYTHON },
          { id: 'typescript', label: 'TypeScript', code: TYPESCRIPT },
        ]}
      />
    </section>
  );
}
