import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { cpSync, readdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { AppHarness } from '../support/app-harness';
import { tempDir } from '../support/temp-dir';

const root = resolve(__dirname, '../..');
const SLOW_MS = 120_000;
const execute = promisify(execFile);

/** A program of a user's, as far as it has come. */
class Program {
  output = '';
  private readonly child: ChildProcess;
  private readonly closed: Promise<number | null>;

  constructor(folder: string, url: string, args: string[]) {
    const env = { PATH: process.env.PATH, SCORPIO_URL: url };
    this.child = spawn(process.execPath, args, { cwd: folder, env });
    for (const stream of [this.child.stdout!, this.child.stderr!])
      stream.setEncoding('utf8').on('data', (text: string) => (this.output += text));
    this.closed = new Promise((done) => this.child.once('close', done));
  }

  /** Waits until it has printed this. */
  async says(text: string): Promise<void> {
    while (!this.output.includes(text))
      await new Promise<void>((heard, ended) => {
        this.child.stdout!.once('data', () => heard());
        this.child.once('close', () => ended(new Error(`It ended without saying “${text}”:\n${this.output}`)));
      });
  }

  type(line: string): void {
    this.child.stdin!.write(`${line}\n`);
  }

  /** Ends its input and waits for its end. @returns all it has printed */
  async end(): Promise<string> {
    this.child.stdin!.end();
    expect({ code: await this.closed, output: this.output }).toMatchObject({ code: 0 });
    return this.output;
  }

  interrupt(): void {
    this.child.kill('SIGINT');
  }
}

describe('the package of the client', () => {
  let folder: string;
  let app: AppHarness;
  const run = (...args: string[]): Program => new Program(folder, app.url, args);

  // As a user gets it: packed, then installed where nothing of the house is, without any registry.
  beforeAll(async () => {
    folder = tempDir();
    app = await AppHarness.start({ DEFAULT_MODEL: 'demo/scribe' });
    await execute('npm', ['pack', '--pack-destination', folder], { cwd: join(root, 'libs/sdk') });
    const [tarball] = readdirSync(folder);
    cpSync(join(root, 'examples'), folder, { recursive: true, filter: (path) => !path.includes('node_modules') });
    await execute('npm', ['install', '--offline', '--no-audit', '--no-fund', `./${tarball}`], { cwd: folder });
  }, SLOW_MS);
  afterAll(() => app?.close());

  it('holds the build and its papers, and brings nothing with it', () => {
    expect(readdirSync(join(folder, 'node_modules'))).toEqual(['.package-lock.json', '@scorpio']);
    const home = join(folder, 'node_modules/@scorpio/sdk');
    expect(readdirSync(home).sort()).toEqual(['LICENSE', 'README.md', 'dist', 'package.json']);
    const files = readdirSync(join(home, 'dist'), { recursive: true }).map(String);
    expect(files).toEqual(expect.arrayContaining(['index.js', 'index.d.ts']));
    expect(files.filter((file) => /spec|(?<!\.d)\.ts$/.test(file))).toEqual([]);
  });

  it('serves plain JavaScript, by import and by require', async () => {
    const program = `
      const scorpio = createScorpio({ baseUrl: process.env.SCORPIO_URL });
      scorpio.chat.stream({ message: '/say hello' }).then((stream) => stream.text()).then(console.log);`;
    writeFileSync(join(folder, 'by-import.mjs'), `import { createScorpio } from '@scorpio/sdk';${program}`);
    writeFileSync(join(folder, 'by-require.cjs'), `const { createScorpio } = require('@scorpio/sdk');${program}`);
    expect(await run('by-import.mjs').end()).toBe('hello\n');
    expect(await run('by-require.cjs').end()).toBe('hello\n');
  });

  it(
    'has types that TypeScript takes, and that tell events apart',
    async () => {
      const wrong = `
        import { createScorpio } from '@scorpio/sdk';
        for await (const event of await createScorpio({ baseUrl: '' }).chat.stream({ message: '' })) {
          // @ts-expect-error Not every event has text.
          event.text;
          if (event.type === 'part.delta') event.text satisfies string;
        }`;
      writeFileSync(join(folder, 'types.ts'), wrong);
      const options = ['--module', 'nodenext', '--target', 'es2022', '--strict', '--noEmit', '--skipLibCheck', 'false'];
      const types = ['--types', 'node', '--typeRoots', join(root, 'node_modules/@types')];
      const files = ['types.ts', 'chat.ts', 'background.ts', 'ask.ts'];
      const told = await execute(
        process.execPath,
        [join(root, 'node_modules/typescript/bin/tsc'), ...options, ...types, ...files],
        { cwd: folder },
      ).catch((error: { stdout: string }) => error);
      expect(told.stdout).toBe('');
    },
    SLOW_MS,
  );

  describe('example', () => {
    it('chat: streams each answer into the terminal, in one session', async () => {
      const chat = run('chat.ts');
      await chat.says('> ');
      chat.type('/say one two');
      await chat.says('one two');
      chat.type('/say three');
      await chat.says('three');
      expect(await chat.end()).toBe('> one two\n> three\n> ');
    });

    it('background: leaves a run, picks it up, and goes on where it was left', async () => {
      const started = await run('background.ts').end();
      const [, id] = /^Started\. Follow it: node background\.ts (run_\w{26})\n$/.exec(started)!;
      const reading = run('background.ts', id!);
      await reading.says('t00003');
      reading.interrupt();
      const [, first, cursor] = /^(.*)\nIt works on\. To go on reading: node background\.ts (\S+)\n$/s.exec(
        await reading.end(),
      )!;
      const rest = await run('background.ts', cursor!).end();
      const words = Array.from({ length: 100 }, (_, index) => `t${String(index + 1).padStart(5, '0')}`);
      expect(first! + rest).toBe(`${words.join(' ')}\nThe run is completed.\n`);
    });

    it('ask: puts the question, hands over the answer and tells what it cost', async () => {
      const asking = run('ask.ts');
      await asking.says('Which flower must be in it? ');
      asking.type('tulips');
      await asking.says('The run is completed.');
      const said = await asking.end();
      expect(said).toContain('tulips');
      expect(said).toMatch(/Tokens: [1-9]\d* in, [1-9]\d* out\. Cost: \$0\n$/);
    });
  });
});
