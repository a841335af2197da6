export { checkJson, pathOf, type JsonFault } from './json-check';
