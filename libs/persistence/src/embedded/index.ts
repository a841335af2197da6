export { openEmbedded, type EmbeddedOptions } from './connection';
export { UnsupportedError } from './errors';
