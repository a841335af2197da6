import { Agent, createServer, request } from 'node:http';

/** The limit: a Node server that passes the model server's bytes on unread. */
const agent = new Agent({ keepAlive: true, maxSockets: Infinity });
const [port, upstream] = process.argv.slice(2).map(Number);
const BLOCK = 16_384;

createServer((incoming, response) => {
  const [, size] = /^\/bytes\/(\d+)$/.exec(incoming.url ?? '') ?? [];
  if (incoming.method === 'GET') {
    // A replay out of memory: that many bytes, in blocks.
    const block = Buffer.alloc(BLOCK, 'x');
    for (let left = Number(size ?? 0); left > 0; left -= BLOCK)
      response.write(block.subarray(0, Math.min(left, BLOCK)));
    return void response.end();
  }
  const { 'content-type': type = '', 'content-length': length = '' } = incoming.headers;
  const headers = { 'content-type': type, 'content-length': length };
  const path = '/v1/chat/completions';
  const outgoing = request({ host: '127.0.0.1', port: upstream, path, method: 'POST', agent, headers }, (answer) => {
    response.writeHead(answer.statusCode!, { 'content-type': answer.headers['content-type'] });
    answer.pipe(response);
  });
  response.once('close', () => outgoing.destroy());
  incoming.pipe(outgoing);
}).listen(port, '127.0.0.1');
