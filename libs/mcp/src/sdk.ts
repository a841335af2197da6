/** The official SDK, loaded when the first server is reached and not at boot. */
const load = () => import('@modelcontextprotocol/client');
let loaded: ReturnType<typeof load> | undefined;
export const loadSdk = (): ReturnType<typeof load> => (loaded ??= load());

export type Sdk = Awaited<ReturnType<typeof load>>;
export type SdkClient = InstanceType<Sdk['Client']>;
export type SdkTransport = Parameters<SdkClient['connect']>[0];
export type SdkMessage = Parameters<SdkTransport['send']>[0];
export type SdkTool = Awaited<ReturnType<SdkClient['listTools']>>['tools'][number];
export type SdkCallResult = Awaited<ReturnType<SdkClient['callTool']>>;
export type SdkContent = SdkCallResult['content'][number];
export type SdkResourceContents = Awaited<ReturnType<SdkClient['readResource']>>['contents'][number];
