export { anyHistory, anyMessage, type AnyNative } from './any-history';
export { ScriptedProvider, type ScriptedCall } from './scripted-provider';
