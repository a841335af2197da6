import { AppHarness } from '../support/app-harness';

describe('MCP servers over HTTP', () => {
  let app: AppHarness;
  beforeAll(async () => {
    app = await AppHarness.start();
  });
  afterAll(() => app?.close());

  it('lists', async () => {
    const { status, body } = await app.api().get('/api/v1/mcp/servers');
    expect({ status, body }).toEqual({ status: 200, body: { items: [], nextCursor: null } });
  });
});
