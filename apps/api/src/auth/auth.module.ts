import { Global, Module } from '@nestjs/common';
import { APP_GUARD, DiscoveryModule } from '@nestjs/core';
import { AuditModule } from './audit/audit.module';
import { AuthGuard } from './auth.guard';
import { Authenticator } from './authenticator.service';
import { ApiKeysController } from './keys/api-keys.controller';
import { ApiKeysModule } from './keys/api-keys.module';
import { BootstrapKey } from './keys/bootstrap-key.service';
import { Issuer } from './oidc/issuer.service';
import { Permissions } from './permissions.service';
import { RateLimits } from './rate-limits/rate-limits.service';
import { RouteDeclarations } from './route-declarations.service';
import { StreamQuota } from './streams/stream-quota.service';
import { StreamTokens } from './streams/stream-tokens.service';

/** Guards every route of the application, and gives features the stream tokens, the quotas, the permissions and the audit log. */
@Global()
@Module({
  imports: [DiscoveryModule, AuditModule, ApiKeysModule],
  controllers: [ApiKeysController],
  providers: [
    { provide: APP_GUARD, useClass: AuthGuard },
    Authenticator,
    BootstrapKey,
    Issuer,
    Permissions,
    RateLimits,
    RouteDeclarations,
    StreamQuota,
    StreamTokens,
  ],
  exports: [AuditModule, Permissions, RateLimits, RouteDeclarations, StreamQuota, StreamTokens],
})
export class AuthModule {}
