import { FakeLlm } from './fake-llm';

/** The fake as a process of its own: prints its base URL, serves until it is ended. `PORT` chooses the port. */
void new FakeLlm().start(Number(process.env.PORT ?? 0)).then((fake) => process.stdout.write(`${fake.url}\n`));
