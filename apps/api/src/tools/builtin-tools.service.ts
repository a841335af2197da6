import { Injectable } from '@nestjs/common';
import type { AgentTool } from '@scorpio/agent';
import { BlobsService } from '../blobs/blobs.service';
import { askUser } from './builtin/ask-user.tool';
import { readOutput } from './builtin/read-output.tool';

/** Every tool that is made here: one line a tool. */
@Injectable()
export class BuiltinTools {
  readonly all: readonly AgentTool[];

  constructor(blobs: BlobsService) {
    this.all = [askUser, readOutput(blobs)];
  }
}
