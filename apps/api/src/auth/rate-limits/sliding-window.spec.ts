import fc from 'fast-check';
import { SlidingWindow } from './sliding-window';

const MINUTE = 60_000;

describe('SlidingWindow', () => {
  it('allows as many hits as its limit, then says how long to wait', () => {
    const window = new SlidingWindow(3);
    expect([0, 1, 2].map(() => window.hit('a', 0).remaining)).toEqual([2, 1, 0]);
    const refused = window.hit('a', 0);
    expect(refused.allowed).toBe(false);
    expect(window.hit('a', refused.retryAfter * 1000 - 1000).allowed).toBe(false);
    expect(window.hit('a', refused.retryAfter * 1000).allowed).toBe(true);
  });

  it('does not allow a double burst where two windows meet', () => {
    const window = new SlidingWindow(10);
    for (let n = 0; n < 10; n++) window.hit('a', MINUTE - 1);
    expect(window.hit('a', MINUTE).allowed).toBe(false);
  });

  it('counts each key for itself', () => {
    const window = new SlidingWindow(1);
    window.hit('a', 0);
    expect(window.hit('b', 0).allowed).toBe(true);
  });

  it('is empty after two windows of silence', () => {
    const window = new SlidingWindow(5);
    for (let n = 0; n < 5; n++) window.hit('a', 0);
    expect(window.hit('a', 2 * MINUTE).remaining).toBe(4);
  });

  it('lets a client in again that never stops knocking', () => {
    const window = new SlidingWindow(10);
    const allowed = Array.from({ length: 300 }, (_, second) => window.hit('a', second * 1000).allowed);
    const inThreeMinutes = allowed.slice(120).filter(Boolean).length;
    expect(inThreeMinutes).toBeGreaterThan(20);
    expect(inThreeMinutes).toBeLessThanOrEqual(30);
  });

  it('never asks for a wait that turns out too short by more than a second, nor allows more than its limit', () => {
    const steps = fc.array(fc.integer({ min: 0, max: 40_000 }), { minLength: 5, maxLength: 60 });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 8 }), steps, (limit, gaps) => {
        const window = new SlidingWindow(limit);
        let now = 0;
        const hits: number[] = [];
        for (const gap of gaps) {
          now += gap;
          const state = window.hit('a', now);
          if (state.allowed) hits.push(now);
          else {
            now += state.retryAfter * 1000;
            expect(window.hit('a', now).allowed).toBe(true);
            hits.push(now);
          }
          const sameWindow = hits.filter((at) => Math.floor(at / MINUTE) === Math.floor(now / MINUTE));
          expect(sameWindow.length).toBeLessThanOrEqual(limit);
        }
      }),
    );
  });

  it('forgets the key longest not hit when it holds too many', () => {
    const window = new SlidingWindow(1, MINUTE, 2);
    for (const key of ['a', 'b', 'c']) window.hit(key, 0);
    expect(window.hit('a', 0).allowed).toBe(true);
    expect(window.hit('c', 0).allowed).toBe(false);
  });

  it('allows everything where the limit is 0', () => {
    const window = new SlidingWindow(0);
    for (let n = 0; n < 100; n++) expect(window.hit('a', 0).allowed).toBe(true);
  });
});
