import { mongo } from 'mongoose';
import { UnsupportedError } from './errors';

const DRIVER = { Db: mongo.Db, Collection: mongo.Collection };

/** Gives a class every method of the driver's class that it lacks, each refusing by its name. */
export function refuseTheRest(target: { prototype: object }, name: keyof typeof DRIVER): void {
  for (const [method, { value }] of Object.entries(Object.getOwnPropertyDescriptors(DRIVER[name].prototype))) {
    if (typeof value !== 'function' || method in target.prototype) continue;
    const refuse = (): never => {
      throw new UnsupportedError(`${name}.${method}()`);
    };
    Object.defineProperty(target.prototype, method, { value: refuse, configurable: true, writable: true });
  }
}

/** Options that change what an operation means and have no counterpart here. Write and read concerns do not: ignored. */
const REFUSED = [
  'session',
  'collation',
  'let',
  'min',
  'max',
  'explain',
  'tailable',
  'awaitData',
  'returnKey',
  'showRecordId',
];

/** @throws UnsupportedError naming the option */
export function checkOptions(options: object | undefined): void {
  if (!options) return;
  for (const option of REFUSED) {
    const value = (options as Record<string, unknown>)[option];
    if (value !== undefined && value !== null && value !== false) throw new UnsupportedError(`the option ${option}`);
  }
}
