import { Injectable, type BeforeApplicationShutdown } from '@nestjs/common';
import { AppConfig } from '@scorpio/config';
import { RunLeases } from './run-lease.service';
import { RunStreams } from './run-stream.service';
import { RunWorker } from './run-worker.service';

/** Brings runs and streams to rest before the server and the store close: streams first, so that clients move on. */
@Injectable()
export class RunShutdown implements BeforeApplicationShutdown {
  constructor(
    private readonly streams: RunStreams,
    private readonly worker: RunWorker,
    private readonly leases: RunLeases,
    private readonly config: AppConfig,
  ) {}

  async beforeApplicationShutdown(): Promise<void> {
    this.streams.drain();
    await this.worker.drain(this.config.shutdownGraceMs);
    await this.leases.stop();
  }
}
