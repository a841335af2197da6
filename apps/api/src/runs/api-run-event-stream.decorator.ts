import { applyDecorators } from '@nestjs/common';
import { ApiOkResponse } from '@nestjs/swagger';

/** Documents a stream of run events: each SSE frame's data line is one `RunEvent`. */
export const ApiRunEventStream = (description = 'Each data line is one RunEvent.'): MethodDecorator =>
  applyDecorators(
    ApiOkResponse({
      description,
      content: {
        'text/event-stream': { schema: { $ref: '#/components/schemas/RunEvent' } },
      },
    }),
  );
