import { unwatchFile, watchFile } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { AppConfig } from '@scorpio/config';
import { DomainError } from '@scorpio/kernel';
import { readOperatorFile, type OperatorFile } from '@scorpio/mcp';
import { registerSecrets } from '@scorpio/observability';

const LOOK_EVERY_MS = 1_000;

/**
 * The servers of the operator's file. The file is looked at each second (a watch of the system does not see changes of
 * mounted files everywhere); what is in it counts as a whole or, where it cannot be read, not at all.
 */
@Injectable()
export class OperatorServers implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly logger = new Logger('Mcp');
  private file: OperatorFile = { servers: [], faults: [] };
  private readonly listeners = new Set<(file: OperatorFile) => void>();

  constructor(private readonly config: AppConfig) {}

  get current(): OperatorFile {
    return this.file;
  }

  /** Calls `listener` now, and at each change. */
  follow(listener: (file: OperatorFile) => void): void {
    this.listeners.add(listener);
    listener(this.file);
  }

  /** @throws DomainError invalid `mcp_config_invalid`: a server that was asked for and is not there is no start */
  async onApplicationBootstrap(): Promise<void> {
    const { configFile } = this.config.mcp;
    if (!configFile) return;
    // What programs print of them must not come to the logs or to users.
    registerSecrets(Object.values(this.config.mcp.variables));
    this.take(await this.read(configFile));
    watchFile(configFile, { interval: LOOK_EVERY_MS, persistent: false }, () => void this.reload(configFile));
  }

  onApplicationShutdown(): void {
    if (this.config.mcp.configFile) unwatchFile(this.config.mcp.configFile);
  }

  private async reload(path: string): Promise<void> {
    try {
      this.take(await this.read(path));
      this.logger.log({ servers: this.file.servers.length }, 'MCP_CONFIG was read again.');
    } catch (error) {
      this.logger.error(`${(error as Error).message} The servers stay as they were.`);
    }
  }

  private async read(path: string): Promise<OperatorFile> {
    try {
      return readOperatorFile(await readFile(path, 'utf8'), this.config.mcp.variables);
    } catch (error) {
      const why = (error as NodeJS.ErrnoException).code ?? (error as Error).message;
      throw new DomainError('invalid', 'mcp_config_invalid', `MCP_CONFIG (${path}) cannot be used: ${why}`);
    }
  }

  private take(file: OperatorFile): void {
    for (const { name, message } of file.faults) this.logger.error(`MCP_CONFIG: ${name}: ${message}`);
    this.file = file;
    for (const listener of this.listeners) listener(file);
  }
}
