import type { ApiAnswer, ApiClient } from './api-client';
import { eventually } from './eventually';

const API = '/api/v1';

/** The routes of conversations and runs by their names. Bodies are whatever the test says they are. */
export class ChatClient {
  constructor(readonly api: ApiClient) {}

  /** @returns its id */
  async newSession(body: object = {}): Promise<string> {
    const made = await this.api.post<{ id: string }>(`${API}/sessions`, body);
    expect(made.status).toBe(201);
    return made.body.id;
  }

  session(id: string): Promise<ApiAnswer<any>> {
    return this.api.get(`${API}/sessions/${id}`);
  }

  /** The whole conversation, oldest first. */
  async messages(sessionId: string): Promise<any[]> {
    return (await this.api.get(`${API}/sessions/${sessionId}/messages?limit=100`)).body.items;
  }

  /** Sends a message and waits for its answer. */
  send(sessionId: string, body: object, headers?: Record<string, string>): Promise<ApiAnswer<any>> {
    return this.api.post(`${API}/chat/${sessionId}/message`, body, headers);
  }

  /** Sends a message that must be taken, without waiting for its answer. @returns the run's id */
  async begin(sessionId: string, body: object): Promise<string> {
    const taken = await this.send(sessionId, body, { prefer: 'respond-async' });
    expect(taken).toMatchObject({ status: 202, body: { sessionId } });
    return taken.body.id;
  }

  run(id: string): Promise<ApiAnswer<any>> {
    return this.api.get(`${API}/runs/${id}`);
  }

  cancel(runId: string): Promise<ApiAnswer<any>> {
    return this.api.post(`${API}/runs/${runId}/cancel`);
  }

  /** Waits until the run has this status. @returns the run */
  runIs(id: string, status: string): Promise<any> {
    return eventually(async () => {
      const { body } = await this.run(id);
      expect(body).toMatchObject({ status });
      return body;
    });
  }

  interactions(sessionId: string): Promise<any[]> {
    return this.api.all(`${API}/sessions/${sessionId}/interactions`);
  }

  answer(sessionId: string, interactionId: string, body: object): Promise<ApiAnswer<any>> {
    return this.api.post(`${API}/sessions/${sessionId}/interactions/${interactionId}`, body);
  }
}
