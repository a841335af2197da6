import type { INestApplication } from '@nestjs/common';
import { Logger } from '@nestjs/common';
import type { AppConfig } from '@scorpio/config';
import { monotonicMs } from '@scorpio/kernel';
import { Readiness } from '../health/readiness';

/** How much longer than the runs' grace the rest may take. */
const MARGIN_MS = 5_000;
/** The terminal and npm each pass one Ctrl-C on: a repeat that soon is the same one. */
const SAME_SIGNAL_MS = 1_000;

/** SIGTERM or SIGINT ends the process with 0 once everything is put down, a second one at once. */
export function stopOnSignal(app: INestApplication, config: AppConfig): void {
  const logger = new Logger('Shutdown');
  let since: number | undefined;
  const stop = (signal: NodeJS.Signals): void => {
    if (since !== undefined) {
      if (monotonicMs() - since > SAME_SIGNAL_MS) process.exit(1);
      return;
    }
    since = monotonicMs();
    logger.log(`${signal}: shutting down.`);
    app.get(Readiness).drain();
    setTimeout(() => {
      logger.warn('The shutdown took too long and was cut short; live runs go on at the next start.');
      process.exit(0);
    }, config.shutdownGraceMs + MARGIN_MS).unref();
    app.close().then(
      () => process.exit(0),
      (error: unknown) => {
        logger.error({ err: error }, 'The shutdown failed.');
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
}
