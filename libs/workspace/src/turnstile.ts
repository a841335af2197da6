/** Lets work through one at a time, in the order in which it came. */
export class Turnstile {
  private last: Promise<unknown> = Promise.resolve();
  private inside = 0;

  get idle(): boolean {
    return this.inside === 0;
  }

  run<T>(work: () => Promise<T>): Promise<T> {
    this.inside++;
    const result = this.last.then(work).finally(() => this.inside--);
    this.last = result.catch(() => undefined);
    return result;
  }
}
