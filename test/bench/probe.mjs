// Loaded into the processes that are measured (`--import`): answers over IPC what they have used so far.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

process.on('message', ({ id, ask }) => {
  if (ask === 'usage') process.send({ id, answer: usage() });
  if (ask === 'settled') process.send({ id, answer: (collect(), usage()) });
});
process.on('disconnect', () => process.exit());
process.channel?.unref();

/** CPU in microseconds of all threads, memory in bytes. */
function usage() {
  const { user, system } = process.cpuUsage();
  return { cpu: user + system, rss: process.memoryUsage.rss() };
}

/** What can be freed is not what a stream costs. */
function collect() {
  setFlagsFromString('--expose-gc');
  const gc = runInNewContext('gc');
  for (let round = 0; round < 3; round++) gc();
}
