import { Injectable } from '@nestjs/common';
import type { AgentTool } from '@scorpio/agent';
import { BlobsService } from '../blobs/blobs.service';
import { FilesService } from '../files/files.service';
import { askUser } from './builtin/ask-user.tool';
import { editFile } from './builtin/edit-file.tool';
import { fetchUrl } from './builtin/fetch-url.tool';
import { listFiles } from './builtin/list-files.tool';
import { readFile } from './builtin/read-file.tool';
import { readOutput } from './builtin/read-output.tool';
import { searchFiles } from './builtin/search-files.tool';
import { todo } from './builtin/todo.tool';
import { writeFile } from './builtin/write-file.tool';
import { TodoRepository } from './todo.repository';
import { Web } from './web.service';

/** Every tool that is made here: one line a tool. */
@Injectable()
export class BuiltinTools {
  readonly all: readonly AgentTool[];

  constructor(files: FilesService, blobs: BlobsService, web: Web, todos: TodoRepository) {
    this.all = [
      askUser,
      editFile(files),
      fetchUrl(web),
      listFiles(files),
      readFile(files),
      readOutput(blobs),
      searchFiles(files),
      todo(todos),
      writeFile(files),
    ];
  }
}
