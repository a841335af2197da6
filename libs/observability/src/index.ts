export { accessLog } from './access-log';
export { addLogContext, logContext, withLogContext, type LogContext } from './log-context';
export { ObservabilityModule } from './observability.module';
export { redact, registerSecrets } from './redact';
export { Logger as AppLogger } from 'nestjs-pino';
