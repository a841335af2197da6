import type { JsonObject } from '@scorpio/kernel';

/** Characters of JSON: what a run's document can hold with room to spare. */
const MOST_CHARACTERS = 32_768;

const isObject = (value: unknown): value is object =>
  value !== null && typeof value === 'object' && !Array.isArray(value);

/** Whether the value holds an object of options for each vendor. */
export const isVendorOptions = (value: unknown): value is Record<string, JsonObject> =>
  isObject(value) && Object.values(value).every(isObject) && JSON.stringify(value).length <= MOST_CHARACTERS;
