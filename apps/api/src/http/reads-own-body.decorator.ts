import { SetMetadata } from '@nestjs/common';

export const READS_OWN_BODY = 'scorpio:reads-own-body';

/** The route reads its body itself, such as an upload that goes to disk as it comes in; `InputGuard` leaves it alone. */
export const ReadsOwnBody = (): MethodDecorator => SetMetadata(READS_OWN_BODY, true);
