import { Injectable, type OnModuleInit } from '@nestjs/common';
import { InjectModel } from '@nestjs/mongoose';
import type { Model, QueryFilter } from 'mongoose';
import type { Owner } from '../auth/principal';
import { PURGE_ORDER } from '../sessions/session-eraser';
import { SessionsService } from '../sessions/sessions.service';
import { TodoModel, type TodoItem } from './todo.schema';

type Filter = QueryFilter<TodoModel>;

@Injectable()
export class TodoRepository implements OnModuleInit {
  constructor(
    @InjectModel(TodoModel.name) private readonly model: Model<TodoModel>,
    private readonly sessions: SessionsService,
  ) {}

  onModuleInit(): void {
    const purge = async (sessionId: string): Promise<'done'> => {
      await this.model.deleteOne({ _id: sessionId } as Filter);
      return 'done';
    };
    this.sessions.registerPurge('todos', purge, PURGE_ORDER.messages);
  }

  async put({ tenantId, ownerId }: Owner, sessionId: string, items: TodoItem[]): Promise<void> {
    const set = { tenantId, ownerId, items: JSON.stringify(items) };
    await this.model.updateOne({ _id: sessionId } as Filter, { $set: set }, { upsert: true });
  }

  async get({ tenantId, ownerId }: Owner, sessionId: string): Promise<TodoItem[]> {
    const found = await this.model.findOne({ _id: sessionId, tenantId, ownerId } as Filter).lean<TodoModel>();
    return found ? (JSON.parse(found.items) as TodoItem[]) : [];
  }
}
