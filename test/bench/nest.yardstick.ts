import { Agent, request } from 'node:http';
import { Body, Controller, Get, Module, Post, Res } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { Response } from 'express';

const agent = new Agent({ keepAlive: true, maxSockets: Infinity });
const [port, upstream] = process.argv.slice(2).map(Number);

/** The practical limit: a plain Nest handler that does the least an agent backend must: parse, renumber, keep. */
@Controller()
class Relay {
  @Get('ready')
  ready(): string {
    return 'ready';
  }

  @Post('chat')
  chat(@Body() body: unknown, @Res() response: Response): void {
    const text = JSON.stringify(body);
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) };
    const options = { host: '127.0.0.1', port: upstream, path: '/v1/chat/completions', method: 'POST', agent, headers };
    const outgoing = request(options, (answer) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      const kept: string[] = [];
      let rest = '';
      answer.setEncoding('utf8').on('data', (chunk: string) => {
        const lines = (rest + chunk).split('\n');
        rest = lines.pop()!;
        let frames = '';
        for (const line of lines) {
          if (!line.startsWith('data: ') || line === 'data: [DONE]') continue;
          const { choices } = JSON.parse(line.slice(6)) as { choices: { delta: { content?: string } }[] };
          const content = choices[0]?.delta.content;
          if (!content) continue;
          const frame = `id: ${kept.length + 1}\ndata: ${JSON.stringify({ type: 'delta', text: content })}\n\n`;
          kept.push(frame);
          frames += frame;
        }
        if (frames) response.write(frames);
      });
      answer.once('end', () => response.end());
    });
    response.once('close', () => outgoing.destroy());
    outgoing.end(text);
  }
}

@Module({ controllers: [Relay] })
class RelayModule {}

NestFactory.create(RelayModule, { logger: ['error'] })
  .then((app) => app.listen(port, '127.0.0.1'))
  .catch((error: unknown) => {
    console.error(error);
    process.exit(1);
  });
