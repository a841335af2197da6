import type { SimServer } from './sim-server';

/** One frame that is an event, as it came over the stream. */
export interface Received {
  seq: number;
  type: string;
  data: string;
}

/** A reader of a run that resumes by its cursor, as a browser does. */
export class SimClient {
  readonly got: Received[] = [];
  ended = false;
  private server?: SimServer;
  private reading?: AsyncGenerator<string | Buffer>;
  private leave = new AbortController();
  private waiting = false;

  constructor(private readonly runId: string) {}

  /** Whether it has nothing to do until something comes. */
  get idle(): boolean {
    return this.ended || (this.waiting && this.server?.alive === true);
  }

  /**
   * Does its next thing: connects, or asks for the next chunk.
   * @param cut breaks the connection after so many events of that chunk
   */
  step(server: SimServer, cut = Infinity): void {
    if (this.ended || this.idle) return;
    if (!this.reading || !this.server?.alive) this.connect(server);
    const { reading, leave } = this;
    this.waiting = true;
    reading!.next().then(
      ({ value, done }) => {
        if (leave !== this.leave || !this.server?.alive) return;
        this.waiting = false;
        if (done) this.drop();
        else this.take(String(value), cut);
      },
      () => leave === this.leave && this.drop(),
    );
  }

  private connect(server: SimServer): void {
    this.drop();
    this.server = server;
    this.reading = server.streams.follow(this.runId, this.got.at(-1)?.seq ?? 0, this.leave.signal, true);
  }

  /** Goes away without a word. */
  drop(): void {
    this.leave.abort();
    this.leave = new AbortController();
    this.reading = undefined;
    this.waiting = false;
  }

  private take(chunk: string, cut: number): void {
    const frames = chunk.matchAll(/^id: (?<id>.*)\nevent: (?<type>.*)\ndata: (?<data>.*)\n\n/gm);
    let count = 0;
    for (const { groups } of frames) {
      if (count++ >= cut) return this.drop();
      this.got.push({ seq: Number(groups!.id.split(':')[1]), type: groups!.type, data: groups!.data });
      if (/^run\.(completed|failed|cancelled)$/.test(groups!.type)) {
        this.ended = true;
        return this.drop();
      }
    }
  }
}
