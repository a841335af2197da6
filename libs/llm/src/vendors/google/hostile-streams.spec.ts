import { describeHostileStreams, eventStream } from '../../testing/hostile-streams';
import { GenerateParser } from './generate-stream';

const party = { name: 'google', secrets: [] };
const candidate = (parts: object[], finishReason?: string) => [
  { index: 0, content: { role: 'model', parts }, finishReason },
];
const usageMetadata = { promptTokenCount: 3, candidatesTokenCount: 2, thoughtsTokenCount: 1 };
const call = { name: 'look', id: 'c', args: { a: 1 } };

const GEMINI = eventStream(
  { candidates: candidate([{ text: 'hm 🎉', thought: true }]), usageMetadata: { promptTokenCount: 3 } },
  { candidates: candidate([{ text: 'Grüße 世界' }]) },
  { candidates: candidate([{ text: '!', thoughtSignature: 'a+/=' }]) },
  { candidates: candidate([{ functionCall: call, thoughtSignature: 'b' }, { functionCall: { name: 'look' } }]) },
  { candidates: candidate([{ text: '', thoughtSignature: 'c' }], 'STOP'), usageMetadata },
);

describeHostileStreams('Gemini', GEMINI, () => new GenerateParser(party, { model: 'm', messages: [] }));
