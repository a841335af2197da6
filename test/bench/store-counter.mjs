// Loaded into a server (`--import`), beside the probe, to count what it asks of its store: a command is a transaction
// or a statement outside of one on the embedded store, and a command of the wire protocol over the wire.
import { createRequire } from 'node:module';
import { DatabaseSync, StatementSync } from 'node:sqlite';

const counts = { commands: 0, statements: 0, by: {} };
let within = false;

function count(text) {
  counts.commands += 1;
  counts.by[text] = (counts.by[text] ?? 0) + 1;
}

const texts = new WeakMap();
const prepare = DatabaseSync.prototype.prepare;
DatabaseSync.prototype.prepare = function (text) {
  const statement = prepare.call(this, text);
  texts.set(statement, text);
  return statement;
};
for (const method of ['run', 'get', 'all', 'iterate']) {
  const original = StatementSync.prototype[method];
  StatementSync.prototype[method] = function (...params) {
    const text = texts.get(this) ?? '';
    if (text.startsWith('BEGIN')) within = true;
    else if (text === 'COMMIT' || text === 'ROLLBACK') {
      within = false;
      count('transaction');
    } else {
      counts.statements += 1;
      if (!within) count(text);
    }
    return original.apply(this, params);
  };
}

const { Connection } = createRequire(import.meta.resolve('mongoose'))('mongodb/lib/cmap/connection.js');
/** What a driver says to keep its connection. */
const UPKEEP = ['hello', 'ismaster', 'isMaster', 'endSessions'];
const command = Connection.prototype.command;
Connection.prototype.command = function (ns, body, ...rest) {
  const name = Object.keys(body)[0];
  if (!UPKEEP.includes(name)) count(`${name} ${body[name]}`);
  return command.call(this, ns, body, ...rest);
};

process.on('message', ({ id, ask }) => {
  if (ask === 'counts') process.send({ id, answer: counts });
});
process.channel?.unref();
