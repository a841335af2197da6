import { Module } from '@nestjs/common';
import { AppConfig } from '@scorpio/config';
import { LoggerModule } from 'nestjs-pino';
import { logStream } from './log-stream';
import { loggerOptions } from './logger-options';

/** Logs of requests and of everything that uses Nest's Logger, as JSON lines on standard output. */
@Module({
  imports: [
    LoggerModule.forRootAsync({
      inject: [AppConfig],
      useFactory: (config: AppConfig) =>
        loggerOptions(config, logStream(config.nodeEnv === 'development' && process.stdout.isTTY)),
    }),
  ],
})
export class ObservabilityModule {}
