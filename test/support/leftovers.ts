import { readFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { mongo } from 'mongoose';
import { eventually } from './eventually';
import type { FakeLlm } from './fake-llm';

/** A server whose leftovers can be counted. */
export interface Inspected {
  url: string;
  /** The URL of its MongoDB, or the file of its embedded store. */
  store: string;
}

/** ESTABLISHED and CLOSE_WAIT, as /proc/net/tcp writes them: a socket that the server has not let go of. */
const HELD = ['01', '08'];

/**
 * O6: once all runs are over, no lease is left in the store, no client's socket at the server, and no call of the model
 * under way. Looks until it is so. Connections that a client keeps for later count too: let clients say `connection: close`.
 */
export async function nothingLeft(server: Inspected, fake?: FakeLlm): Promise<void> {
  await eventually(async () => {
    const calls = fake?.requests.filter(({ outcome }) => outcome === 'answering').length ?? 0;
    const left = { leases: await leases(server.store), sockets: sockets(server.url), calls };
    expect(left).toEqual({ leases: 0, sockets: 0, calls: 0 });
  });
}

async function leases(store: string): Promise<number> {
  if (store.startsWith('mongodb')) {
    const client = await mongo.MongoClient.connect(store);
    try {
      return await client
        .db()
        .collection('runs')
        .countDocuments({ lease: { $exists: true } });
    } finally {
      await client.close();
    }
  }
  const file = new DatabaseSync(store, { readOnly: true });
  try {
    const sql = "SELECT count(*) AS count FROM runs WHERE json_extract(doc, '$.lease') IS NOT NULL";
    return Number(file.prepare(sql).get()!.count);
  } finally {
    file.close();
  }
}

function sockets(url: string): number {
  const port = Number(new URL(url).port).toString(16).toUpperCase().padStart(4, '0');
  const rows = readFileSync('/proc/net/tcp', 'utf8').split('\n').slice(1);
  return rows.filter((row) => {
    const [, local, , state] = row.trim().split(/\s+/);
    return local?.endsWith(`:${port}`) && HELD.includes(state);
  }).length;
}
