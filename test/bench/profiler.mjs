// Loaded into a server (`--import`), beside the probe, to take CPU profiles of it between two questions.
import { Session } from 'node:inspector/promises';

const INTERVAL_US = 200;
const session = new Session();
session.connect();

process.on('message', async ({ id, ask }) => {
  if (ask === 'profile') {
    await session.post('Profiler.enable');
    await session.post('Profiler.setSamplingInterval', { interval: INTERVAL_US });
    await session.post('Profiler.start');
    process.send({ id, answer: true });
  }
  if (ask === 'profiled') process.send({ id, answer: (await session.post('Profiler.stop')).profile });
});
process.channel?.unref();
