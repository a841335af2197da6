import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { INestApplication } from '@nestjs/common';
import type { AppConfig } from '@scorpio/config';

/**
 * Opens the port and answers where the server is. Not by `app.listen`, which logs a port in use itself and with a stack.
 * @throws the system's error
 */
export async function listen(app: INestApplication, config: AppConfig): Promise<string> {
  const server = app.getHttpServer() as Server;
  server.listen(config.port, config.host);
  await once(server, 'listening');
  const { address, family, port } = server.address() as AddressInfo;
  const host = address === '0.0.0.0' || address === '::' ? 'localhost' : family === 'IPv6' ? `[${address}]` : address;
  return `http://${host}:${port}`;
}
