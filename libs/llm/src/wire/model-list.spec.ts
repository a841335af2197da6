import { ModelList } from './model-list';

interface Look {
  bring: (names: string[]) => Promise<void>;
  fail: (error: Error) => Promise<void>;
}

/** A list whose every look is answered by hand. */
function scripted(): { list: ModelList<{ id: string }>; looks: Look[] } {
  const looks: Look[] = [];
  const list = new ModelList(
    () =>
      new Promise<{ id: string }[]>((resolve, reject) => {
        looks.push({
          bring: async (names) => {
            resolve(names.map((id) => ({ id })));
            await turn();
          },
          fail: async (error) => {
            reject(error);
            await turn();
          },
        });
      }),
  );
  return { list, looks };
}

const turn = (): Promise<void> => jest.advanceTimersByTimeAsync(0);
const names = (models: { id: string }[] | undefined): string[] | undefined => models?.map(({ id }) => id);

describe('ModelList', () => {
  beforeEach(() => jest.useFakeTimers());
  afterEach(() => jest.useRealTimers());

  it('asks once for all who want to know, and keeps the answer', async () => {
    const { list, looks } = scripted();
    const readers = Promise.all([list.read(), list.read()]);
    await turn();
    await looks[0].bring(['a', 'b']);
    expect((await readers).map(names)).toEqual([
      ['a', 'b'],
      ['a', 'b'],
    ]);
    await jest.advanceTimersByTimeAsync(290_000);
    expect(names(await list.read())).toEqual(['a', 'b']);
    expect(looks).toHaveLength(1);
  });

  it('lets a silent one delay nobody: its first reader waits two seconds, the rest not at all, and it is filled in later', async () => {
    const { list, looks } = scripted();
    const first = list.read();
    await jest.advanceTimersByTimeAsync(2_000);
    expect(await first).toBeUndefined();
    expect(list.trouble).toBe('silent');
    // No timer moves here: these come at once.
    expect(await list.read()).toBeUndefined();
    expect(await list.find('a')).toBeUndefined();
    expect(looks).toHaveLength(1);
    await looks[0].bring(['a']);
    expect(list.trouble).toBeUndefined();
    expect(names(await list.read())).toEqual(['a']);
  });

  it('does not hold against it what is loaded here first', async () => {
    let loaded: () => void = () => undefined;
    const loading = new Promise<void>((resolve) => (loaded = resolve));
    const list = new ModelList(
      async () => [{ id: 'a' }],
      () => loading,
    );
    const first = list.read();
    await jest.advanceTimersByTimeAsync(5_000);
    expect(list.trouble).toBeUndefined();
    loaded();
    await turn();
    expect(names(await first)).toEqual(['a']);
  });

  it('tells what it knows while it asks again, and holds on to it when that fails', async () => {
    const { list, looks } = scripted();
    void list.read();
    await turn();
    await looks[0].bring(['old']);
    await jest.advanceTimersByTimeAsync(300_000);
    expect(names(await list.read())).toEqual(['old']);
    await turn();
    expect(looks).toHaveLength(2);
    const dead = new Error('nobody there');
    await looks[1].fail(dead);
    expect(names(await list.read())).toEqual(['old']);
    expect(list.trouble).toBe(dead);
    await jest.advanceTimersByTimeAsync(15_000);
    void list.read();
    await turn();
    await looks[2].bring(['new']);
    expect(names(list.known)).toEqual(['new']);
    expect(list.trouble).toBeUndefined();
  });

  it('asks again for a name that an older list lacks, but not for each of them', async () => {
    const { list, looks } = scripted();
    const early = list.find('pulled');
    await turn();
    await looks[0].bring(['a']);
    expect(await early).toBeUndefined();
    await jest.advanceTimersByTimeAsync(15_000);
    const found = list.find('pulled');
    await turn();
    await looks[1].bring(['a', 'pulled']);
    expect(await found).toEqual({ id: 'pulled' });
    expect(await list.find('never')).toBeUndefined();
    expect(looks).toHaveLength(2);
  });
});
