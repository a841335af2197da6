import { convert } from 'html-to-text';
import type { WorkingTool } from '@scorpio/agent';
import { DomainError } from '@scorpio/kernel';
import type { Web } from '../web.service';

const TEXT = /^(text\/|application\/([\w.+-]*[+])?(json|xml|yaml|javascript)\b)/i;

/** Reads from the public internet; addresses within are out of reach. */
export const fetchUrl = (web: Web): WorkingTool => ({
  name: 'fetch_url',
  description: 'Read a page or a text file from the internet by its http or https address. Pages come as plain text.',
  source: 'builtin',
  effect: 'read',
  approval: 'ask',
  timeoutMs: 30_000,
  inputSchema: {
    type: 'object',
    properties: { url: { type: 'string', minLength: 1, maxLength: 2048 } },
    required: ['url'],
    additionalProperties: false,
  },
  async execute({ url }, { signal }) {
    const response = await web.get(url as string, signal);
    const mediaType = response.headers.get('content-type') ?? '';
    if (!TEXT.test(mediaType)) {
      await response.body?.cancel();
      throw new DomainError('invalid', 'not_text', `What is there is no text (${mediaType || 'of no known type'}).`);
    }
    const body = await response.text();
    const content = /html/i.test(mediaType) ? plainText(body) : body;
    const details = { url: response.url || (url as string), status: response.status, mediaType };
    return { content: `${response.status} ${details.url}\n\n${content}`, details, isError: !response.ok };
  },
});

const plainText = (html: string): string =>
  convert(html, {
    wordwrap: false,
    limits: { maxInputLength: 5_000_000, maxDepth: 200, maxChildNodes: 10_000 },
    selectors: [
      { selector: 'img', format: 'skip' },
      { selector: 'nav', format: 'skip' },
      { selector: 'a', options: { ignoreHref: false, hideLinkHrefIfSameAsText: true, noAnchorUrl: true } },
    ],
  });
