/** One request as a client sent it. */
export interface RecordedRequest {
  readonly method: string;
  readonly target: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: Buffer;
}

/** Read a `.raw` file of `goldens/wire`; its form is described there. */
export function parseRecording(bytes: Buffer): readonly RecordedRequest[] {
  const requests: RecordedRequest[] = [];
  for (let at = bytes.indexOf('>>> '); at >= 0; at = bytes.indexOf('>>> ', at)) {
    const headersEnd = bytes.indexOf('\n\n', at);
    const [first = '', ...lines] = bytes
      .subarray(at + 4, headersEnd)
      .toString('latin1')
      .split('\n');
    const [method = '', target = ''] = first.split(' ');
    const headers = lines.map((line) => {
      const colon = line.indexOf(': ');
      return [line.slice(0, colon), line.slice(colon + 2)] as const;
    });
    const length = Number(headers.find(([name]) => name.toLowerCase() === 'content-length')?.[1] ?? 0);
    const bodyAt = headersEnd + 2;
    requests.push({ method, target, headers, body: bytes.subarray(bodyAt, bodyAt + length) });
    at = bodyAt + length;
  }
  return requests;
}
