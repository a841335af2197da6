import type { ArgumentMetadata, PipeTransform } from '@nestjs/common';
import { DomainError, isId, type IdPrefix } from '@scorpio/kernel';

/**
 * Checks an id in a path: `@Param('id', IdPipe.of('ses'))`. A malformed one is bad input, not something absent.
 * @throws DomainError invalid `id_invalid`
 */
export class IdPipe implements PipeTransform<string, string> {
  private constructor(private readonly prefix: IdPrefix) {}

  static of(prefix: IdPrefix): IdPipe {
    return new IdPipe(prefix);
  }

  transform(value: string, { data }: ArgumentMetadata): string {
    if (isId(this.prefix, value)) return value;
    const field = data ?? 'id';
    throw new DomainError('invalid', 'id_invalid', `${field} must be an id that begins with ${this.prefix}_.`, {
      field,
    });
  }
}
