// Requests a page as a browser does that opens an address. `fetch` calls itself a request by a script.
import { get } from 'node:http';

/** Status and text of a page. */
export function getPage(url) {
  return new Promise((resolve, reject) => {
    get(url, { headers: { accept: 'text/html' } }, (reply) => {
      let text = '';
      reply.setEncoding('utf8').on('data', (part) => {
        text += part;
      });
      reply.once('end', () => resolve({ status: reply.statusCode, text }));
      reply.once('error', reject);
    }).once('error', reject);
  });
}
