// Loaded into the real server by `node --require`, through NODE_OPTIONS. PLANT is a JSON object {find, replace} by which
// the built server is changed as it is loaded. WITHHOLD names a file: while it is there, every write to the log that holds
// `tool.started` is refused, as by a store that is busy, and its slot is noted in the file.
const { appendFileSync, existsSync } = require('node:fs');
const { Module } = require('node:module');
const { sep } = require('node:path');

const SERVER = ['', 'dist', 'apps', 'api', 'src', 'boot', 'serve.js'].join(sep);
const { PLANT, WITHHOLD } = process.env;

if (PLANT) {
  const { find, replace } = JSON.parse(PLANT);
  const load = Module._extensions['.js'];
  Module._extensions['.js'] = (module, filename) => {
    if (filename.endsWith(SERVER)) {
      const compile = module._compile;
      module._compile = (source, ...rest) => {
        const found = source.split(find).length - 1;
        if (found !== 1) throw new Error(`The fault fits ${found} places of the server, not one: ${find}`);
        return compile.call(
          module,
          source.replace(find, () => replace),
          ...rest,
        );
      };
    }
    return load(module, filename);
  };
}

if (WITHHOLD) {
  const { StatementSync } = require('node:sqlite');
  const { run } = StatementSync.prototype;
  StatementSync.prototype.run = function (...params) {
    const begins = /^INSERT INTO "__rows_run_events"/.test(this.sourceSQL) && params.join(' ').includes('tool.started');
    if (!begins || !existsSync(WITHHOLD)) return run.apply(this, params);
    appendFileSync(WITHHOLD, `${params[1]}\n`);
    // SQLITE_BUSY (sqlite.org/rescode.html).
    throw Object.assign(new Error('database is locked'), { code: 'ERR_SQLITE_ERROR', errcode: 5 });
  };
}
