import type { LlmAssistantPart, LlmMessage, LlmRequest } from '../../contract';
import { knownModel, unknownModel } from './models';
import { responsesRequest } from './responses-request';

const MODEL = 'gpt-6.1-terra';
const user: LlmMessage = { role: 'user', content: [{ type: 'text', text: 'hi' }] };
const native = (data: unknown) => ({ vendor: 'openai', model: MODEL, system: 's', data });
const reasoning = { id: 'rs_1', type: 'reasoning', summary: [], encrypted_content: 'gAAA+/=' };

const body = (extra: Partial<LlmRequest>, model = knownModel(MODEL) ?? unknownModel(MODEL), summaries = true) =>
  responsesRequest({ model: model.id, messages: [user], ...extra }, 'openai', model, summaries);
const items = (...content: LlmAssistantPart[]) => body({ messages: [{ role: 'assistant', content }] }).input;

describe('responsesRequest', () => {
  it('stores nothing with the vendor and asks for encrypted reasoning', () => {
    expect(body({ system: 'Be brief.' })).toMatchObject({
      model: MODEL,
      instructions: 'Be brief.',
      stream: true,
      store: false,
      include: ['reasoning.encrypted_content'],
      reasoning: { summary: 'auto' },
      input: [{ type: 'message', role: 'user', content: [{ type: 'input_text', text: 'hi' }] }],
    });
  });

  it('asks a model that does not reason for none of it', () => {
    const sent = body({}, unknownModel('gpt-4.1'));
    expect(sent.include).toBeUndefined();
    expect(sent.reasoning).toBeUndefined();
  });

  it('goes without summaries where they are not allowed', () => {
    expect(body({ reasoning: { effort: 'high' } }, undefined, false).reasoning).toEqual({
      effort: 'high',
      summary: undefined,
    });
  });

  it('asks for the next effort that the model accepts', () => {
    const effort = (id: string, wanted: 'none' | 'minimal' | 'high') =>
      body({ reasoning: { effort: wanted } }, knownModel(id)).reasoning?.effort;
    expect(effort('gpt-6.1-terra', 'none')).toBe('none');
    expect(effort('gpt-6.1-terra', 'minimal')).toBe('low');
    expect(effort('gpt-6.2-sol', 'none')).toBe('low');
    expect(effort('gpt-6.2-sol', 'high')).toBe('high');
  });

  it('sends encrypted reasoning back byte for byte, with the ids that belong to it', () => {
    const sent = items(
      { type: 'reasoning', text: 'hm', native: native(reasoning) },
      { type: 'text', text: 'I look.', native: native({ id: 'msg_1', phase: 'commentary' }) },
      { type: 'tool_call', callId: 'c1', name: 'look', arguments: { a: 1 }, native: native({ id: 'fc_1' }) },
    );
    expect(sent).toEqual([
      reasoning,
      {
        type: 'message',
        role: 'assistant',
        id: 'msg_1',
        status: 'completed',
        phase: 'commentary',
        content: [{ type: 'output_text', text: 'I look.', annotations: [] }],
      },
      { type: 'function_call', id: 'fc_1', call_id: 'c1', name: 'look', arguments: '{"a":1}' },
    ]);
  });

  it('leaves reasoning out that has nothing encrypted in it, and the ids that belong to it', () => {
    const plain = native({ ...reasoning, encrypted_content: null });
    expect(
      items(
        { type: 'reasoning', text: 'hm', native: plain },
        { type: 'text', text: 'x', native: native({ id: 'msg_1' }) },
      ),
    ).toEqual([{ type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'x', annotations: [] }] }]);
  });

  it('does not hold tools to the strict subset of JSON Schema', () => {
    const tool = { name: 'look', description: 'Looks.', inputSchema: { type: 'object' } };
    expect(body({ tools: [tool], toolChoice: { name: 'look' } })).toMatchObject({
      tools: [{ type: 'function', name: 'look', description: 'Looks.', parameters: { type: 'object' }, strict: false }],
      tool_choice: { type: 'function', name: 'look' },
    });
    expect(body({ toolChoice: 'required' }).tool_choice).toBeUndefined();
  });

  it('lets vendor options have the last word', () => {
    const vendorOptions = { openai: { service_tier: 'flex' }, other: { store: true } };
    expect(body({ vendorOptions })).toMatchObject({ service_tier: 'flex', store: false });
  });
});
