import { Injectable, type OnModuleInit } from '@nestjs/common';
import { RunState, type ModelCall } from '@scorpio/agent';
import { LlmRegistry, costOf, priceFor } from '@scorpio/llm';
import { RunHandlers, type RunLedger, type RunRecord, type StepEvent } from '../runs/runs';
import { UsageService } from '../usage/usage.service';

type UsageRecord = Parameters<UsageService['record']>[0][number];

/** Records the model calls of runs in the usage ledger. */
@Injectable()
export class ChatLedger implements RunLedger, OnModuleInit {
  constructor(
    private readonly handlers: RunHandlers,
    private readonly registry: LlmRegistry,
    private readonly usage: UsageService,
  ) {}

  onModuleInit(): void {
    this.handlers.registerLedger(this);
  }

  async record(run: RunRecord, steps: readonly StepEvent[]): Promise<void> {
    const { id: runId, tenantId, ownerId, sessionId } = run;
    const state = new RunState();
    const records: UsageRecord[] = [];
    for (const event of steps) {
      state.apply(event);
      if (event.type === 'step.started') continue;
      const { messageId: id, ...call } = state.modelCalls.at(-1)!;
      const price = await this.priceOf(call);
      records.push({ id, tenantId, ownerId, sessionId, runId, ...call, price, createdAt: new Date(event.ts) });
    }
    await this.usage.record(records);
  }

  /** The price by which a call was reckoned; null also where another one holds by now, as after a long rest. */
  private async priceOf({ model, usage, cost }: Omit<ModelCall, 'messageId'>): Promise<UsageRecord['price']> {
    if (cost === null) return null;
    const listed = await this.registry.describe(model).catch(() => undefined);
    const price = listed?.model.price;
    return price && costOf(price, usage) === cost ? priceFor(price, usage) : null;
  }
}
