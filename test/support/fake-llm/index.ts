export { FakeLlm, type FakeLlmOptions, type FakeRequest } from './fake-llm';
export { answerTokens, type Behaviour, type FakeToolCall } from './behaviour';
