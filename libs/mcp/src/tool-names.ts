import { createHash } from 'node:crypto';

/** What every vendor takes as the name of a tool. */
const MAX_LENGTH = 64;
const HASH_LENGTH = 8;

/** A server's name without what models' vendors do not take; not every vendor takes a digit at the beginning. */
const plain = (text: string): string =>
  text
    .replace(/[^A-Za-z0-9-]+/g, '_')
    .replace(/^_+|_+$/g, '')
    .replace(/^(?![A-Za-z])/, 's');
const hash = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, HASH_LENGTH);

/**
 * The name of a server's tool for models: `server__tool` of letters, digits, `_` and `-`, at most 64 characters. Where
 * that changes either name, eight digits of a hash keep it apart from others; the same tool has the same name always.
 */
export function toolName(server: string, tool: string): string {
  const name = `${plain(server)}__${plainTool(tool)}`;
  const isFaithful = plain(server) === server && plainTool(tool) === tool && name.length <= MAX_LENGTH;
  return isFaithful ? name : hashed(name, `${server}\0${tool}`);
}

/** Another name for a tool whose name is taken: `id` tells its server from one of the same name. */
export const otherToolName = (id: string, server: string, tool: string): string =>
  hashed(`${plain(server)}__${plainTool(tool)}`, `${id}\0${tool}`);

/** A tool's name may hold `__`: the first pair parts it from the server, whose name holds none. */
const plainTool = (tool: string): string => tool.replace(/[^A-Za-z0-9_-]+/g, '_');

const hashed = (name: string, identity: string): string =>
  `${name.slice(0, MAX_LENGTH - HASH_LENGTH - 1)}_${hash(identity)}`;
