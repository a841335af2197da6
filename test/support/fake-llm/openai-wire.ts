import type { Dialect } from './dialect';

/** What OpenAI's two wire forms have in common. */
export const openAiWire: Pick<Dialect, 'lists' | 'listing' | 'keyOf' | 'modelOf' | 'refusal'> = {
  lists: (path, headers) => path.endsWith('/v1/models') && headers['anthropic-version'] === undefined,
  listing: (models) => ({
    object: 'list',
    data: models.map((id) => ({ id, object: 'model', created: 1, owned_by: 'fake' })),
  }),
  keyOf: (headers) => /^Bearer (.*)$/.exec(headers.authorization ?? '')?.[1],
  modelOf: (body) => String(body.model),
  refusal: (_status, { code, message, param }) => ({
    error: { message, type: 'fake_error', param: param ?? null, code: code ?? null },
  }),
};
