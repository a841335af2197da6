// `npm run gen`: writes every generated file: the OpenAPI document, the client's generated half, .env.example and the tables
// of README.md and docs/events.md.
// `--check` writes nothing and fails where a file would change.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from './build.mjs';
import { ensure, exitAs, root, run } from './ensure.mjs';

const SDK = 'libs/sdk/src/generated';
const METHODS = ['get', 'post', 'put', 'patch', 'delete'];

/** The document as the built server describes itself; it needs no store for that. */
async function openApi(node) {
  const folder = mkdtempSync(join(tmpdir(), 'scorpio-openapi-'));
  const file = join(folder, 'openapi.json');
  const result = await run(node, [join(root, 'dist/apps/api/src/bin/write-openapi.js'), file]);
  if (result.code !== 0) await exitAs(result);
  const text = readFileSync(file, 'utf8');
  rmSync(folder, { recursive: true });
  return text.endsWith('\n') ? text : `${text}\n`;
}

/** The client's generated half, by path. */
async function sdk(node, document) {
  const folder = mkdtempSync(join(tmpdir(), 'scorpio-sdk-'));
  const input = join(folder, 'openapi.json');
  writeFileSync(input, document);
  const output = join(folder, 'generated');
  const result = await run(node, [join(root, 'scripts/gen-sdk.mjs'), input, output]);
  if (result.code !== 0) await exitAs(result);
  const files = sourcesIn(output).map((name) => [`${SDK}/${name}`, readFileSync(join(output, name), 'utf8')]);
  rmSync(folder, { recursive: true });
  return Object.fromEntries(files);
}

const sourcesIn = (folder) => readdirSync(folder, { recursive: true }).filter((name) => name.endsWith('.ts'));

const defaultOf = ({ schema }) => {
  const { data } = schema.safeParse(undefined);
  return data === undefined ? '' : String(data);
};

const groupsOf = (variables) => [...new Set(Object.values(variables).map(({ group }) => group))];
const inGroup = (variables, group) => Object.entries(variables).filter(([, variable]) => variable.group === group);

function envExample(variables) {
  const lines = [
    '# Settings of Scorpio. Copy to .env and uncomment what you change; each line shows its default.',
    '# Generated from libs/config/src/env.ts by `npm run gen`.',
  ];
  for (const group of groupsOf(variables)) {
    lines.push('', `# ${group}`, '');
    for (const [name, variable] of inGroup(variables, group))
      lines.push(`# ${variable.about}`, `#${name}=${defaultOf(variable)}`);
  }
  return `${lines.join('\n')}\n`;
}

const cell = (text) => text.replaceAll('|', '\\|').replaceAll('\n', ' ');
const row = (...cells) => `| ${cells.map(cell).join(' | ')} |`;

function envTable(variables) {
  return groupsOf(variables)
    .map((group) =>
      [
        `**${group}**`,
        '',
        row('Variable', 'Default', 'What it is'),
        row('---', '---', '---'),
        ...inGroup(variables, group).map(([name, variable]) => {
          const value = defaultOf(variable);
          return row(`\`${name}\``, variable.shown ?? (value && `\`${value}\``), variable.about);
        }),
      ].join('\n'),
    )
    .join('\n\n');
}

/** The first sentence of what the document says, and what a caller needs for it. */
function endpoint(method, path, { summary = '', 'x-scopes': scopes }) {
  const access = scopes?.length ? scopes.map((scope) => `\`${scope}\``).join(', ') : scopes ? 'any key' : 'none';
  return row(`\`${method.toUpperCase()} ${path}\``, summary.split(/(?<=\.)\s/)[0], access);
}

function endpointTable(document) {
  const rows = Object.entries(document.paths).flatMap(([path, item]) =>
    METHODS.filter((method) => item[method]).map((method) => endpoint(method, path, item[method])),
  );
  return [row('Endpoint', 'What it does', 'Scope'), row('---', '---', '---'), ...rows].join('\n');
}

/** What each event class says of itself: its doc comment. */
function eventComments() {
  const folder = join(root, 'libs/events/src/run');
  const comments = readdirSync(folder).flatMap((file) => [
    ...readFileSync(join(folder, file), 'utf8').matchAll(/\/\*\* (.+?) \*\/\nexport class (\w+)/g),
  ]);
  return new Map(comments.map(([, about, name]) => [name, about]));
}

const ENVELOPE = ['v', 'runId', 'seq', 'ts', 'type'];

function eventTable({ components: { schemas } }) {
  const comments = eventComments();
  const rows = Object.entries(schemas.RunEvent.discriminator.mapping).map(([type, reference]) => {
    const name = reference.split('/').at(-1);
    const { properties, required } = schemas[name];
    const fields = Object.keys(properties).filter((field) => !ENVELOPE.includes(field));
    const shown = fields.map((field) => {
      const values = properties[field].enum?.map((value) => `\`${value}\``).join(' / ');
      return `\`${field}\`${required.includes(field) ? '' : '?'}${values ? ` (${values})` : ''}`;
    });
    return row(`\`${type}\``, comments.get(name) ?? '', shown.join(', '));
  });
  return [row('Event', 'What it says', 'Fields'), row('---', '---', '---'), ...rows].join('\n');
}

/** The text with what stands between `<!-- name -->` and `<!-- /name -->` replaced. */
function fill(text, name, content) {
  const [open, close] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
  const [start, end] = [text.indexOf(open), text.indexOf(close)];
  if (start < 0 || end < start) throw new Error(`There is no ${open} … ${close}`);
  return `${text.slice(0, start + open.length)}\n\n${content}\n\n${text.slice(end)}`;
}

const node = await ensure();
await build(node);
const { ENV } = createRequire(import.meta.url)(join(root, 'dist/libs/config/src/index.js'));
const document = await openApi(node);
const described = JSON.parse(document);
const { default: prettier } = await import(pathToFileURL(join(root, 'node_modules/prettier/index.mjs')).href);

/** A Markdown file with its generated sections, formatted like every other file. */
async function markdown(name, sections) {
  const path = join(root, name);
  const text = Object.entries(sections).reduce(
    (filled, section) => fill(filled, ...section),
    readFileSync(path, 'utf8'),
  );
  return prettier.format(text, { ...(await prettier.resolveConfig(path)), parser: 'markdown' });
}

const files = {
  'apps/api/openapi.json': document,
  '.env.example': envExample(ENV),
  'README.md': await markdown('README.md', { environment: envTable(ENV), endpoints: endpointTable(described) }),
  ...(await sdk(node, document)),
  'docs/events.md': await markdown('docs/events.md', { events: eventTable(described) }),
};

// What the generator of the client no longer makes.
for (const name of sourcesIn(join(root, SDK))) files[`${SDK}/${name}`] ??= null;

const check = process.argv.includes('--check');
for (const [name, text] of Object.entries(files)) {
  const path = join(root, name);
  if ((existsSync(path) ? readFileSync(path, 'utf8') : null) === text) continue;
  if (check) {
    console.log(`${name} is not what npm run gen would write.`);
    process.exitCode = 1;
    continue;
  }
  if (text === null) rmSync(path);
  else {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
  console.log(`Wrote ${name}`);
}
