import { inflateRawSync } from 'node:zlib';
import type { ApiAnswer, ApiClient } from './api-client';

/** Speaks of the files of one session. */
export class FileClient {
  constructor(
    readonly api: ApiClient,
    readonly sessionId: string,
  ) {}

  /** @param what the last part of the route: `read`, `write` … */
  ask<Body = any>(what: string, body: object): Promise<ApiAnswer<Body>> {
    return this.api.post(`/api/v1/files/${what}`, { sessionId: this.sessionId, ...body });
  }

  /** @returns what the change did */
  async write(path: string, content: string, more: object = {}): Promise<any> {
    const written = await this.ask('write', { path, content, ...more });
    expect(written).toMatchObject({ status: 200 });
    return written.body;
  }

  /** A file's text; undefined where there is none. */
  async text(path: string): Promise<string | undefined> {
    return (await this.ask('read', { path })).body.content;
  }

  /** Paths of everything there is. */
  async paths(): Promise<string[]> {
    return (await this.ask('list', { depth: 32 })).body.items.map(({ path }: { path: string }) => path);
  }

  async upload(
    files: Record<string, string | Buffer>,
    path?: string,
    sessionId = this.sessionId,
  ): Promise<ApiAnswer<any>> {
    const form = new FormData();
    for (const [name, content] of Object.entries(files)) form.append('files', new Blob([content as string]), name);
    const query = new URLSearchParams({ sessionId, ...(path !== undefined && { path }) });
    const answer = await fetch(`${this.api.baseUrl}/api/v1/files/upload?${query.toString()}`, {
      method: 'POST',
      headers: this.api.headers,
      body: form,
    });
    const text = await answer.text();
    return { status: answer.status, headers: answer.headers, text, body: JSON.parse(text) };
  }

  download(path: string, headers: Record<string, string> = {}): Promise<Response> {
    const query = new URLSearchParams({ sessionId: this.sessionId, path });
    return fetch(`${this.api.baseUrl}/api/v1/files/download?${query.toString()}`, {
      headers: { ...this.api.headers, ...headers },
    });
  }

  zip(path?: string): Promise<Response> {
    const query = new URLSearchParams({ sessionId: this.sessionId, ...(path !== undefined && { path }) });
    return fetch(`${this.api.baseUrl}/api/v1/files/zip?${query.toString()}`, { headers: this.api.headers });
  }

  /** The texts in an archive by their names, found as any other program finds them: by its directory. */
  async unpacked(answer: Response): Promise<Record<string, string>> {
    const bytes = Buffer.from(await answer.arrayBuffer());
    const end = bytes.lastIndexOf(Buffer.from('504b0506', 'hex'));
    const found: Record<string, string> = {};
    let at = bytes.readUInt32LE(end + 16);
    for (let left = bytes.readUInt16LE(end + 10); left > 0; left--) {
      const [method, size, nameLength] = [
        bytes.readUInt16LE(at + 10),
        bytes.readUInt32LE(at + 20),
        bytes.readUInt16LE(at + 28),
      ];
      const local = bytes.readUInt32LE(at + 42);
      const begin = local + 30 + bytes.readUInt16LE(local + 26) + bytes.readUInt16LE(local + 28);
      const data = bytes.subarray(begin, begin + size);
      found[bytes.toString('utf8', at + 46, at + 46 + nameLength)] = (method ? inflateRawSync(data) : data).toString();
      at += 46 + nameLength + bytes.readUInt16LE(at + 30) + bytes.readUInt16LE(at + 32);
    }
    return found;
  }
}
