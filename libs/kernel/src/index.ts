export { DomainError, notFound, type ErrorDetails, type ErrorKind } from './domain-error';
export { isId, newId, type IdPrefix } from './ids';
export { monotonicMs, pause } from './clock';
export { canonicalJson, parseJson, type Json, type JsonObject } from './json';
export { orAbort } from './abort';
