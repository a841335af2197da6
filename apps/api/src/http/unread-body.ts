import type { RequestHandler } from 'express';

/**
 * How long a client may still send after its answer. To close at once would throw away the answer with what the client
 * has under way (RFC 9112, 9.6).
 */
const LINGER_MS = 1_000;

/**
 * Ends the connection of a client that goes on sending a body after it has its answer, such as a 413: what is sent to
 * nobody would be read for as long as a request may take.
 */
export const endUnreadBody: RequestHandler = (request, response, next) => {
  response.once('finish', () => {
    if (request.complete) return;
    const { socket } = request;
    const timer = setTimeout(() => socket.destroy(), LINGER_MS);
    // The last of it may be on its way already: then the connection can be used again.
    for (const end of ['end', 'close']) request.once(end, () => request.complete && clearTimeout(timer));
    socket.once('close', () => clearTimeout(timer));
    request.resume();
  });
  next();
};
