type Answer = (given: any) => unknown;

interface Question {
  id: number;
  ask: string;
  given: unknown;
}

/** Answers what the bench asks this process over IPC; ends the process with it. */
export function answers(known: Record<string, Answer>): void {
  process.on('message', ({ id, ask, given }: Question) => {
    const answer = known[ask];
    if (!answer) return;
    Promise.resolve()
      .then(() => answer(given))
      .then(
        (value) => process.send!({ id, answer: value }),
        (error: Error) => process.send!({ id, error: error.stack ?? String(error) }),
      );
  });
  process.on('disconnect', () => process.exit());
}
