export { ScriptedProvider, type ScriptedCall } from './scripted-provider';
