import { ByteReader } from './byte-reader';

/** A connection that remembers what it was asked. */
function opened(): { reader: ByteReader; asked: string[] } {
  const asked: string[] = [];
  const connection = {
    pause: () => void asked.push('pause'),
    resume: () => void asked.push('resume'),
    abort: (reason: Error) => {
      asked.push('abort');
      reader.finish(reason);
    },
  };
  const reader = new ByteReader(connection);
  return { reader, asked };
}

const text = async (read: Promise<Uint8Array | null>): Promise<string | null> => {
  const bytes = await read;
  return bytes && Buffer.from(bytes).toString();
};

describe('ByteReader', () => {
  it('gives all that has come at once, then waits for more', async () => {
    const { reader } = opened();
    reader.push(Buffer.from('one '));
    reader.push(Buffer.from('two'));
    expect(await text(reader.read())).toBe('one two');
    const next = text(reader.read());
    reader.push(Buffer.from('three'));
    expect(await next).toBe('three');
    reader.finish('ended');
    expect(await reader.read()).toBeNull();
  });

  it('gives what came before the connection broke, then says that it broke', async () => {
    const { reader } = opened();
    reader.push(Buffer.from('said'));
    reader.finish(new Error('reset'));
    expect(await text(reader.read())).toBe('said');
    await expect(reader.read()).rejects.toThrow('reset');
  });

  it('holds its connection back while it is not read', async () => {
    const { reader, asked } = opened();
    for (let i = 0; i < 4; i++) reader.push(Buffer.alloc(40 * 1024));
    expect(asked).toEqual(['pause']);
    expect((await reader.read())?.length).toBe(160 * 1024);
    expect(asked).toEqual(['pause', 'resume']);
  });

  it('waits no longer than it may', async () => {
    const { reader } = opened();
    expect(await reader.read(1)).toBeNull();
    reader.push(Buffer.from('late'));
    expect(await text(reader.read(1))).toBe('late');
  });

  it('lets the rest pass unread once released, held back or not', () => {
    const { reader, asked } = opened();
    reader.push(Buffer.alloc(80 * 1024));
    reader.release();
    for (let i = 0; i < 4; i++) reader.push(Buffer.alloc(80 * 1024));
    expect(asked).toEqual(['pause', 'resume']);
    reader.finish('ended');
  });

  it('closes a connection that is not at its end, and no other', async () => {
    const [open, ended] = [opened(), opened()];
    open.reader.destroy();
    await expect(open.reader.read()).rejects.toThrow('closed');
    expect(open.asked).toEqual(['abort']);
    ended.reader.finish('ended');
    ended.reader.destroy();
    expect(ended.asked).toEqual([]);
  });
});
