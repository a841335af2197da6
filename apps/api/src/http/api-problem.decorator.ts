import { STATUS_CODES } from 'node:http';
import { applyDecorators } from '@nestjs/common';
import { ApiResponse } from '@nestjs/swagger';

/** The form of every error answer in the OpenAPI document. */
export const PROBLEM_CONTENT = { 'application/problem+json': { schema: { $ref: '#/components/schemas/ProblemDto' } } };

/** Documents the error answers of a route: `@ApiProblem(404, 409)`. Those all routes share are added by the document itself. */
export const ApiProblem = (...statuses: number[]): ClassDecorator & MethodDecorator =>
  applyDecorators(
    ...statuses.map((status) => ApiResponse({ status, description: STATUS_CODES[status], content: PROBLEM_CONTENT })),
  );
