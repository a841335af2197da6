// Loaded into the real server by `node --require`, through NODE_OPTIONS. Wraps the store's driver, `node:sqlite` or
// `mongodb`, and ends the process as kill -9 does, right before or after the n-th store write since the one that first
// held the text `[crash <n> before]` or `[crash <n> after]`. Each point is used once; `[crash 0 before]` only lists the
// writes, and `[crash off]` ends the counting. CRASH_POINTS names the file that both are written to.
const { appendFileSync, existsSync, readFileSync } = require('node:fs');

const file = process.env.CRASH_POINTS;
const used = new Set();
if (existsSync(file))
  for (const [, point] of readFileSync(file, 'utf8').matchAll(/^crash (\d+ (?:before|after))/gm)) used.add(point);
let armed;
let counted = 0;

function arm(text) {
  if (text.includes('[crash off]')) armed = undefined;
  const [, point] = /\[crash (\d+ (?:before|after))\]/.exec(text) ?? [];
  if (armed || !point || used.has(point)) return;
  used.add(point);
  const [n, side] = point.split(' ');
  armed = { n: Number(n), side };
  counted = 0;
}

/** To be called right before a write; `after` with what it returns right after. */
function before(label, text) {
  arm(text);
  if (!armed) return undefined;
  counted += 1;
  if (armed.n === 0) appendFileSync(file, `write ${counted} ${label}\n`);
  die(counted, 'before', label);
  return { number: counted, label };
}

function after(write) {
  if (write) die(write.number, 'after', write.label);
}

function die(number, side, label) {
  if (!armed || number !== armed.n || side !== armed.side) return;
  appendFileSync(file, `crash ${number} ${side} ${label}\n`);
  process.kill(process.pid, 'SIGKILL');
}

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
    if (sql !== 'COMMIT' && sql !== 'ROLLBACK') return run.apply(this, params);
    const { labels, text } = transaction;
    transaction = undefined;
    const ends = () => run.apply(this, params);
    return sql === 'COMMIT' && labels.length ? around(labels.join(', '), text, ends) : ends();
  };
}

function around(label, text, work) {
  const write = before(label, text);
  const result = work();
  after(write);
  return result;
}

/** Leases and sweeps write all the time and belong to no message. */
const isUpkeep = (collection, text) => collection === 'workers' || /"q":\{("_id":\{"\$in"|"idemExpiresAt")/.test(text);

function wrapMongodb() {
  const { MongoClient } = require('mongodb');
  const { connect } = MongoClient.prototype;
  MongoClient.prototype.connect = function () {
    this.monitorCommands = true;
    const writes = new Map();
    this.on('commandStarted', ({ commandName, command, requestId }) => {
      if (!['insert', 'update', 'delete', 'findAndModify'].includes(commandName)) return;
      const collection = command[commandName];
      const text = JSON.stringify(command);
      if (!isUpkeep(collection, text)) writes.set(requestId, before(`${commandName} ${collection}`, text));
    });
    this.on('commandSucceeded', ({ requestId }) => {
      after(writes.get(requestId));
      writes.delete(requestId);
    });
    return connect.call(this);
  };
}

if (file) {
  wrapSqlite();
  wrapMongodb();
}
