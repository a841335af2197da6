// `node scripts/gen-sdk.mjs [document] [folder]`: the generated half of libs/sdk, types and calls, by hey-api. `npm run gen`
// runs it; by itself it needs no build, as it reads the checked-in document. hey-api needs Node 22.18 or newer.
import { readFileSync } from 'node:fs';
import { createClient } from '@hey-api/openapi-ts';

const [input = 'apps/api/openapi.json', path = 'libs/sdk/src/generated'] = process.argv.slice(2);

/** Written by hand in libs/sdk: the generated client of an event stream would send a message again after a cut. */
const BY_HAND = [
  ['/api/v1/chat/sse', 'post'],
  ['/api/v1/chat/{sessionId}/message', 'post'],
  ['/api/v1/runs/{runId}/events', 'get'],
];

/** The document as the generator should see it. */
function prepared() {
  const document = JSON.parse(readFileSync(input, 'utf8'));
  for (const [route, method] of BY_HAND) delete document.paths[route][method];
  for (const operation of Object.values(document.paths).flatMap((item) => Object.values(item))) {
    // The description begins with it.
    delete operation.summary;
    // Bodies in place, not by name: their fields are then parameters of the call.
    const json = operation.requestBody?.content['application/json'];
    if (json?.schema.$ref) json.schema = document.components.schemas[json.schema.$ref.split('/').at(-1)];
  }
  return document;
}

const lowerFirst = (text) => text[0].toLowerCase() + text.slice(1);

await createClient({
  input: prepared(),
  logs: { level: 'silent', file: false },
  output: { path, module: { extension: '.ts' }, entryFile: false },
  plugins: [
    { name: '@hey-api/client-fetch', throwOnError: true },
    { name: '@hey-api/typescript', definitions: (name) => name.replace(/Dto$/, '') },
    {
      name: '@hey-api/sdk',
      auth: false,
      responseStyle: 'data',
      paramsStructure: 'flat',
      operations: {
        strategy: 'single',
        containerName: 'Api',
        methods: 'instance',
        // `sessionsCreate` of the tag `sessions` is called as `sessions.create`.
        nesting: ({ tags: [tag], operationId }) => [tag, lowerFirst(operationId.slice(tag.length))],
      },
    },
  ],
});
