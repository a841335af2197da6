// Loaded into the real server by `node --require`, through NODE_OPTIONS. Wraps the store's driver, `node:sqlite` or
// `mongodb`, and does harm right before or after the n-th store write since the one that first held the text
// `[crash <n> before]` or `[crash <n> after]`: it ends the process as kill -9 does. With `[break …]` instead the write
// fails, as on a full disk or on a connection that breaks. Each point is used once; `[crash 0 before]` only lists the
// writes, and `[faults off]` ends the counting. WRITE_FAULTS names the file that both are written to.
const { appendFileSync, existsSync, readFileSync } = require('node:fs');

const POINT = /\[((?:crash|break) \d+ (?:before|after))\]/;

const file = process.env.WRITE_FAULTS;
const used = new Set();
if (existsSync(file))
  for (const [, point] of readFileSync(file, 'utf8').matchAll(/^fault (\w+ \d+ \w+)/gm)) used.add(point);
let armed;
let counted = 0;

function arm(text) {
  if (text.includes('[faults off]')) armed = undefined;
  const [, point] = POINT.exec(text) ?? [];
  if (armed || !point || used.has(point)) return;
  used.add(point);
  const [kind, n, side] = point.split(' ');
  armed = { kind, n: Number(n), side };
  counted = 0;
}

/**
 * To be called right before a write. @returns what to call right after it
 * @throws the error that `failure` makes, where this write is to fail
 */
function before(label, text, failure) {
  arm(text);
  if (!armed) return () => undefined;
  const number = (counted += 1);
  if (armed.n === 0) appendFileSync(file, `write ${number} ${label}\n`);
  const harm = (side) => {
    if (number !== armed?.n || side !== armed.side) return;
    appendFileSync(file, `fault ${armed.kind} ${number} ${side} ${label}\n`);
    if (armed.kind === 'break') throw failure();
    process.kill(process.pid, 'SIGKILL');
  };
  harm('before');
  return () => harm('after');
}

/** SQLITE_FULL (sqlite.org/rescode.html). */
const diskFull = () => Object.assign(new Error('database or disk is full'), { code: 'ERR_SQLITE_ERROR', errcode: 13 });

/** A statement outside of a transaction is a write, and a transaction that changed something is one. */
function wrapSqlite() {
  const { StatementSync } = require('node:sqlite');
  const { run } = StatementSync.prototype;
  let transaction;
  StatementSync.prototype.run = function (...params) {
    const sql = this.sourceSQL;
    const [, verb, table] = /^(INSERT INTO|UPDATE|DELETE FROM) "?(\w+)/.exec(sql) ?? [];
    if (sql.startsWith('BEGIN')) transaction = { labels: [], text: '' };
    if (verb && table !== 'workers') {
      const change = { label: `${verb.split(' ')[0].toLowerCase()} ${table}`, text: params.join(' ') };
      if (!transaction) return around(change.label, change.text, () => run.apply(this, params));
      transaction.labels.push(change.label);
      transaction.text += change.text;
    }
    const commits = sql === 'COMMIT' ? transaction : undefined;
    // A COMMIT that fails is followed by a ROLLBACK.
    if (sql === 'COMMIT' || sql === 'ROLLBACK') transaction = undefined;
    const works = () => run.apply(this, params);
    return commits?.labels.length ? around(commits.labels.join(', '), commits.text, works) : works();
  };
}

function around(label, text, work) {
  const after = before(label, text, diskFull);
  const result = work();
  after();
  return result;
}

/** Leases and sweeps write all the time and belong to no message. */
const isUpkeep = (collection, text) => collection === 'workers' || /"q":\{("_id":\{"\$in"|"idemExpiresAt")/.test(text);

function wrapMongodb() {
  const { MongoNetworkError } = require('mongodb');
  const { Connection } = require('mongodb/lib/cmap/connection');
  const { command } = Connection.prototype;
  Connection.prototype.command = async function (namespace, document, ...rest) {
    const name = ['findAndModify', 'insert', 'update', 'delete'].find((verb) => verb in document);
    const text = name && JSON.stringify(document);
    if (!name || isUpkeep(document[name], text)) return command.call(this, namespace, document, ...rest);
    const closed = () => new MongoNetworkError('connection closed');
    const after = before(`${name} ${document[name]}`, text, closed);
    const reply = await command.call(this, namespace, document, ...rest);
    after();
    return reply;
  };
}

if (file) {
  wrapSqlite();
  wrapMongodb();
}
