import { ValidationPipe, type ValidationError } from '@nestjs/common';
import { DomainError } from '@scorpio/kernel';
import { getMetadataStorage, type MetadataStorage } from 'class-validator';

const MAX_ERRORS = 50;

/** One fault of the input. */
export interface FieldError {
  /** Path from the top of the body or query: `message.parts[0].url`. */
  field: string;
  message: string;
}

/** The faults of all levels, each with its whole path. */
export function fieldErrors(errors: ValidationError[], parent = ''): FieldError[] {
  return errors.flatMap(({ property, constraints, children }) => {
    const field = /^\d+$/.test(property) ? `${parent}[${property}]` : parent ? `${parent}.${property}` : property;
    return [
      ...Object.values(constraints ?? {}).map((message) => ({ field, message })),
      ...fieldErrors(children ?? [], field),
    ];
  });
}

/** class-validator looks through the rules of all classes for each object it checks; here it does so once for a class. */
function rememberRules(storage: MetadataStorage): void {
  type Rules = ReturnType<MetadataStorage['getTargetValidationMetadatas']>;
  const look = storage.getTargetValidationMetadatas.bind(storage);
  const known = new Map<unknown, Rules>();
  storage.getTargetValidationMetadatas = (target, schema, always, strictGroups, groups) => {
    if (schema || always || strictGroups || groups?.length) return look(target, schema, always, strictGroups, groups);
    let rules = known.get(target);
    if (!rules) known.set(target, (rules = look(target, schema, always, strictGroups, groups)));
    return rules;
  };
}
rememberRules(getMetadataStorage());

/** Checks DTOs by their decorators: unknown fields are refused, nothing is converted unless the DTO says so. */
export const validationPipe = (): ValidationPipe =>
  new ValidationPipe({
    whitelist: true,
    forbidNonWhitelisted: true,
    transform: true,
    transformOptions: { enableImplicitConversion: false },
    validationError: { target: false, value: false },
    exceptionFactory: (found) => {
      const errors = fieldErrors(found);
      const [first = { field: 'body', message: 'is not valid' }] = errors;
      return new DomainError('invalid', 'validation_failed', `${first.field}: ${first.message}`, {
        field: first.field,
        errors: errors.slice(0, MAX_ERRORS),
      });
    },
  });
