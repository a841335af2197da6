import { MethodNotAllowedException } from '@nestjs/common';
import type { Response } from 'express';

/** 405 at a path that other methods are for, where a protocol wants to hear that and not that the path is unknown. */
export function methodNotAllowed(response: Response, allowed: string): Error {
  response.setHeader('Allow', allowed);
  return new MethodNotAllowedException();
}
