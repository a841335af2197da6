/** The waits of one reader, one after the other: one timer and one listener serve them all. */
export class ReaderPause {
  private timer?: NodeJS.Timeout;
  private timerMs = 0;
  private resume?: (woken: boolean) => void;
  private readonly expire = (): void => this.end(false);

  /** @param stop ends a wait early */
  constructor(private readonly stop: AbortSignal) {
    stop.addEventListener('abort', this.expire);
  }

  /** Waits until it is woken, or for so long. @returns whether it was woken */
  pause(ms: number): Promise<boolean> {
    if (this.stop.aborted) return Promise.resolve(false);
    if (this.timer && this.timerMs === ms) this.timer.refresh();
    else {
      clearTimeout(this.timer);
      this.timerMs = ms;
      this.timer = setTimeout(this.expire, ms);
    }
    return new Promise((resolve) => (this.resume = resolve));
  }

  /** Ends the wait under way, if there is one. */
  wake(): void {
    this.end(true);
  }

  close(): void {
    clearTimeout(this.timer);
    this.stop.removeEventListener('abort', this.expire);
  }

  private end(woken: boolean): void {
    const { resume } = this;
    this.resume = undefined;
    resume?.(woken);
  }
}
