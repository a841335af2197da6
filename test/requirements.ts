/**
 * What the product promises, by id. A test claims one by naming it in its title, as in `it('[F2] resumes after kill -9', …)`;
 * test/architecture/requirements.int-spec.ts fails while one is unclaimed, skipped, or claimed without standing here.
 */
export const REQUIREMENTS = {
  // Promises of the main path
  P1: 'The least body, {"message":"hi"}, makes a session and streams an answer',
  P2: 'The same message answered as one JSON body; 202 with the run when asked by Prefer: respond-async',
  P3: 'A client that leaves never stops a run; cancel does, with one terminal event and the partial text kept',
  P4: 'A tool call without a tool gets its paired error result, and the run goes on',
  P5: 'A run that asks a question parks, is answered and goes on',
  P6: 'Deleting a session removes its messages, runs, events and blobs, also over a kill in between',
  P7: 'Export and import round-trip; a fork has its own copies',
  P8: 'No secret reaches a log, an answer or an event',
  P9: 'A fault at boot is one clear line and an exit code, no stack',

  // Access
  A1: 'No, a malformed, an expired or a revoked key: 401 with one body; a key in the query counts for nothing',
  A2: 'A valid key id with wrong secrets: 401, then 429 with Retry-After, by source and not by key',
  A3: 'Tokens with alg none, HS256 with the public key, wrong iss or aud, nbf in the future, a kid that is a path: 401',
  A4: 'A tenant or user id in body or header that differs from the credential is ignored or refused',
  A5: 'CORS: a foreign origin, null and twins by suffix get no allowance; never * with credentials',
  A6: 'A foreign Host on a loopback bind: 403',
  A7: 'A forged X-Forwarded-For is ignored unless the proxy is trusted',
  A8: 'A key is in no store, log, error or OpenAPI example; only its hash and id',
  A9: 'Production with an unsafe setting does not start',

  // Tools
  T1: 'An unknown or disabled tool, one in a foreign session: 404',
  T2: 'Arguments that do not fit their schema, too large or too deep: 400 or 413 with the field; the tool is not run',
  T3: 'Names in arguments that reach a prototype: 400',
  T4: "The store's operators in any field: 400",
  T5: 'A missing scope: 403; no credentials: 401 before the body is read',
  T6: 'An Idempotency-Key sent twice executes once; with another body 422',
  T7: 'A call of a tool that was not offered is an error result; the run goes on',
  T8: 'What a tool puts out is data, whatever it looks like',
  T9: 'Tool calls without end, or five hundred in one answer, are bounded, and the run says by what',

  // Sessions
  S1: "Another tenant's session in every route: 404; lists are disjoint",
  S2: 'ownerId, tenantId, createdAt and status in a body: 400',
  S3: 'Bad ids and tampered cursors: 400',
  S4: 'Deleting a session ends its stream with run.cancelled; the second delete is 404',
  S5: 'Two chats at once in one session are queued or refused, never mixed',
  S6: 'Text of 5 MB, lone surrogates and control characters are stored safely or refused with 413',
  S7: 'Ten thousand sessions of a tenant: 429; odd limits: 400',

  // Files: the attacks P1 to P20 of the design
  W1: 'A path with steps up, or with a backslash before them: 403; a backslash in a name is part of it',
  W2: 'An absolute path or a twin of the workspace: 403, the same whether or not there is something',
  W3: 'Percent signs, double and overlong encodings are names, never decoded',
  W4: 'NUL, an empty path, `.`, a path or a name that is too long: 400',
  W5: 'A link is never read or written through; deleting it removes it alone',
  W6: 'A link on the way is not followed',
  W7: 'Folders swapped for links during two seconds of reads and writes: no escape',
  W8: 'Links that lead to themselves or nowhere: 403, at once',
  W9: 'A pipe, socket or folder as a file: 400, and nothing waits',
  W10: 'Reading of a file of 5 GB takes no more memory than the answer',
  W11: 'A body above the limit: 413, and no part of it stays',
  W12: 'A full workspace: 507, and the file that was there is as it was',
  W13: 'Encodings, line endings, byte order marks, binary content and odd names are never mangled',
  W14: 'Of two writes on one state one is made, the other is 412; the file is one of them as a whole',
  W15: 'Patterns that are slow, wrong or look like options: linear time, 400, plain text',
  W16: 'A search over too much is cut with truncated; no link is followed',
  W17: 'Names with line breaks, escapes and the like are listed as they are',
  W18: 'Nothing that is written is run',
  W19: 'A download is saved, never shown',
  W20: 'No archive is unpacked',

  // Event streams
  E1: 'Text, names and errors that look like SSE stay inside their one event',
  E2: "Last-Event-ID of another run, huge or no number: 400; another's run: 404; no foreign event",
  E3: 'A client that drops leaves a run that ends and can be read again; after a cancel the model call is aborted',
  E4: 'A client that never reads is bounded in memory and closed',
  E5: 'Open streams beyond the cap of a principal: 429',
  E6: 'A provider error that holds a key or a stack is told without them',
  E7: 'A key in the URL, a stream token on another route or run or too late: 401',

  // Operation
  O1: 'Malformed JSON, wrong content type, oversize, compressed bomb, slow headers: 400, 415, 413, 408',
  O2: '/health names no address and no error text; the docs are off in production',
  O3: 'The store down: bounded 503, and access fails closed',

  // Faults
  F2: 'kill -9 in the middle of an answer, restart, resume: nothing lost, nothing repeated',
  F5: 'kill -9 right before or after any store write of a turn, restart: nothing lost, nothing repeated',
  F10: 'Clients that drop every 50 events and resume get everything once',
  F11: 'A stale ?after= beside the header; the cursor of another run; a cursor ahead of the log',
  F14: 'The model answers 429 with Retry-After, 500, 529, then well',
  F15: 'The model answers 429 or 500 for ever, or 401',
  F16: 'The model accepts and never answers, or stalls in the middle',
  F17: 'The stream of the model ends without its terminal marker, is reset or half-closed',
  F18: 'A malformed stream of the model: split UTF-8, CRLF, single bytes, bad JSON, unknown events, a line of 5 MB',
  F24: 'Two messages at once in every onBusy mode; a steer that races the end',
  F25: 'One message sent five times with one Idempotency-Key, answers cut: one run',
} as const;
