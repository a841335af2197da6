import fc from 'fast-check';

/** Schedules as {@link Simulation} takes them: the longer, the later nothing goes wrong any more. */
export const schedules = fc.uint8Array({ maxLength: 900, size: 'max' });
