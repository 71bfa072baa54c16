import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { LiveCheck } from './livecheck.ts';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

it('asks once for what was typed last', async () => {
  const ask = vi.fn((value: string) => Promise.resolve(value.length));
  const told: number[] = [];
  const check = new LiveCheck<string, number>(ask, (answer) => told.push(answer));
  check.check('1');
  check.check('12');
  await vi.advanceTimersByTimeAsync(400);
  expect(ask).toHaveBeenCalledTimes(1);
  expect(told).toEqual([2]);
});

it('never tells an answer that something newer has overtaken', async () => {
  const arrivals: ((value: string) => void)[] = [];
  const signals: AbortSignal[] = [];
  const told: string[] = [];
  const check = new LiveCheck<string, string>(
    (_value, signal) => {
      signals.push(signal);
      return new Promise((resolve) => arrivals.push(resolve));
    },
    (answer) => told.push(answer),
  );
  check.check('old');
  await vi.advanceTimersByTimeAsync(400);
  check.check('new');
  await vi.advanceTimersByTimeAsync(400);
  expect(signals[0]?.aborted).toBe(true);
  arrivals[1]?.('new');
  arrivals[0]?.('old');
  await vi.advanceTimersByTimeAsync(0);
  expect(told).toEqual(['new']);
});

it('says that a check failed, but not one that was given up', async () => {
  const failed = vi.fn();
  const check = new LiveCheck<string, string>(
    () => Promise.reject(new Error('offline')),
    () => {},
    failed,
  );
  check.check('a');
  await vi.advanceTimersByTimeAsync(400);
  expect(failed).toHaveBeenCalledTimes(1);
  check.check('b');
  check.stop();
  await vi.advanceTimersByTimeAsync(400);
  expect(failed).toHaveBeenCalledTimes(1);
});
