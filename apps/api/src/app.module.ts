import { Module, type DynamicModule } from '@nestjs/common';
import { BusModule } from '@scorpio/bus';
import { ConfigModule, type AppConfig } from '@scorpio/config';
import { ObservabilityModule } from '@scorpio/observability';
import { PersistenceModule } from '@scorpio/persistence';
import { AuthModule } from './auth/auth.module';
import { BlobsModule } from './blobs/blobs.module';
import { ChatModule } from './chat/chat.module';
import { FilesModule } from './files/files.module';
import { HealthModule } from './health/health.module';
import { McpModule } from './mcp/mcp.module';
import { McpServerModule } from './mcp-server/mcp-server.module';
import { ModelsModule } from './models/models.module';
import { RUN_EVENTS } from './runs/runs';
import { RunsModule } from './runs/runs.module';
import { SessionsModule } from './sessions/sessions.module';
import { UsageModule } from './usage/usage.module';

/** The whole application for one configuration. */
@Module({})
export class AppModule {
  static forRoot(config: AppConfig): DynamicModule {
    return {
      module: AppModule,
      imports: [
        ConfigModule.forRoot(config),
        ObservabilityModule,
        BusModule,
        PersistenceModule.forRoot({ appendOnly: [RUN_EVENTS] }),
        ...[AuthModule, HealthModule, ModelsModule, SessionsModule, BlobsModule],
        ...[FilesModule, McpModule, RunsModule, UsageModule, ChatModule, McpServerModule],
      ],
    };
  }
}
