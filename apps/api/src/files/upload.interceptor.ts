import { Inject, Injectable, type CallHandler, type ExecutionContext } from '@nestjs/common';
import { FilesInterceptor } from '@nestjs/platform-express';
import { MOST_UPLOADS, UploadStorage } from './upload-storage';

const Multer = FilesInterceptor('files', MOST_UPLOADS);
type Handled = ReturnType<InstanceType<typeof Multer>['intercept']>;

/** Reads an upload, and answers as soon as one of its files is refused: multer itself waits until all has been sent. */
@Injectable()
export class UploadInterceptor extends Multer {
  @Inject(UploadStorage)
  private readonly storage: UploadStorage;

  override async intercept(context: ExecutionContext, next: CallHandler): Promise<Awaited<Handled>> {
    const http = context.switchToHttp();
    const failed = this.storage.failureOf(http.getRequest<object>());
    // Nest would cut the connection with the answer still on its way, if it saw the response while multer reads.
    let reading = true;
    const unseen = {
      getRequest: () => http.getRequest<object>(),
      getResponse: () => (reading ? {} : http.getResponse<object>()),
    };
    const apart = Object.create(context, { switchToHttp: { value: () => unseen } }) as ExecutionContext;
    const handle = (): ReturnType<CallHandler['handle']> => {
      reading = false;
      return next.handle();
    };
    return Promise.race([failed, super.intercept(apart, { handle })]);
  }
}
