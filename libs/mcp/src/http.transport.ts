import type { Sdk, SdkMessage, SdkTransport } from './sdk';
import type { HttpTarget } from './server-entry';

/** JSON-RPC code of the answer that stands in for one that can no longer come. */
export const LOST_ANSWER = -32_098;

type SendOptions = Parameters<SdkTransport['send']>[1];
type AuthProvider =
  Parameters<Sdk['StreamableHTTPClientTransport']['prototype']['send']> extends never
    ? never
    : NonNullable<ConstructorParameters<Sdk['StreamableHTTPClientTransport']>[1]>['authProvider'];

/** How a transport over HTTP gets out and says who it is. */
export interface HttpAccess {
  fetch: typeof fetch;
  auth?: AuthProvider;
}

/** The transport of a server that is reached by HTTP. */
export function httpTransport(sdk: Sdk, target: HttpTarget, { fetch, auth }: HttpAccess): SdkTransport {
  const options = { fetch, authProvider: auth, requestInit: { headers: target.headers } };
  const url = new URL(target.url);
  if (target.type === 'sse') return new sdk.SSEClientTransport(url, options);
  return new (lossAware(sdk))(url, { ...options, reconnectionOptions: RECONNECTION });
}

const RECONNECTION = {
  initialReconnectionDelay: 1_000,
  maxReconnectionDelay: 30_000,
  reconnectionDelayGrowFactor: 1.5,
  maxRetries: 3,
};

/**
 * The SDK's transport, where a request whose stream ends for good without an answer fails at once. The SDK itself lets it
 * wait for its time-out: `Protocol` never passes `onRequestStreamEnd` (client 2.4.0).
 */
function lossAware(sdk: Sdk) {
  return class extends sdk.StreamableHTTPClientTransport {
    override send(message: SdkMessage, options?: SendOptions): Promise<void> {
      if (!('method' in message) || !('id' in message)) return super.send(message, options);
      const { id } = message;
      const lose = (): void => {
        options?.onRequestStreamEnd?.();
        // Unheard where the answer has come.
        this.onmessage?.({ jsonrpc: '2.0', id, error: { code: LOST_ANSWER, message: 'The stream ended.' } });
      };
      return super.send(message, { ...options, onRequestStreamEnd: lose });
    }
  };
}
