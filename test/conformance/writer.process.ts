import { openEmbedded, StoreLock } from '@scorpio/persistence';

/** Writes to the store of the folder given, in every way the product does, and prints each id once it is acknowledged. */
async function main(dataDir: string, round: string): Promise<void> {
  new StoreLock(dataDir).acquire();
  const connection = await openEmbedded(`${dataDir}/scorpio.db`);
  const events = connection.collection<{ _id: string; ev: string[] }>('events');
  const counters = connection.collection<{ _id: string; n: number }>('counters');
  await counters.createIndex({ n: 1 });
  process.stdout.write('ready\n');
  for (let n = 0; ; n++) {
    const ids = [0, 1, 2].map((part) => `${round}:${n}:${part}`);
    await events.insertMany(
      ids.map((_id) => ({ _id, ev: ['x'.repeat(500)] })),
      { ordered: false },
    );
    await counters.findOneAndUpdate({ _id: round }, { $inc: { n: 1 } }, { upsert: true });
    process.stdout.write(`${ids.join(' ')} ${n + 1}\n`);
    // Lets the pipe go out, as a server lets its sockets.
    await new Promise(setImmediate);
  }
}

main(process.argv[2]!, process.argv[3]!).catch((error: { code?: string; message: string }) => {
  process.stdout.write(`failed ${error.code} ${error.message}\n`);
  process.exitCode = 1;
});
