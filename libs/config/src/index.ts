export { AppConfig, loadConfig, type AuthMode } from './app-config';
export { ConfigModule } from './config.module';
export { ENV, EnvError, type Env, type EnvName, type EnvVariable, type LlmEndpoint, type ToolRule } from './env';
export { productVersion } from './product-version';
export { makeFolder } from './make-folder';
