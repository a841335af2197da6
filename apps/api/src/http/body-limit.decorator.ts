import { SetMetadata } from '@nestjs/common';
import type { AppConfig } from '@scorpio/config';

export const BODY_LIMIT = 'scorpio:body-limit';

/** The settings that say how large a body may be. */
export type BodyLimits = Pick<AppConfig, 'bodyLimit' | 'importLimit'>;

/** Which of them holds for the body of this route; `bodyLimit` where nothing is said. */
export const BodyLimit = (limit: keyof BodyLimits): MethodDecorator => SetMetadata(BODY_LIMIT, limit);
