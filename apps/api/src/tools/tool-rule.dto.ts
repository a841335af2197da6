import { ApiProperty } from '@nestjs/swagger';
import { IsIn, IsOptional, Matches, ValidateBy } from 'class-validator';
import type { ToolRuleRecord } from './tool-rule.schema';

const MOST_ARGUMENTS = 16;
const isPatterns = (value: unknown): boolean =>
  value !== null &&
  typeof value === 'object' &&
  !Array.isArray(value) &&
  Object.keys(value).length <= MOST_ARGUMENTS &&
  Object.entries(value).every(
    ([name, pattern]) =>
      name.length <= 128 && typeof pattern === 'string' && pattern.length > 0 && pattern.length <= 500,
  );

/** A rule for the tool calls of one session. */
export class CreateToolRuleDto {
  /** Name of a tool; `*` stands for any characters. */
  @Matches(/^[\w*-]{1,64}$/, { message: '$property must be a name of a tool, in which * stands for any characters' })
  tool: string;

  /** By the argument's name, with dots for inner ones: what its value must look like; `*` stands for any characters. */
  @IsOptional()
  @ValidateBy({
    name: 'isPatterns',
    validator: {
      validate: isPatterns,
      defaultMessage: () => `$property must hold at most ${MOST_ARGUMENTS} patterns of 1 to 500 characters`,
    },
  })
  @ApiProperty({ selfRequired: false, type: 'object', additionalProperties: { type: 'string' } })
  arguments?: Record<string, string>;

  /** What happens to such calls: they run, people are asked, or they are refused. */
  @IsIn(['allow', 'ask', 'deny'])
  action: 'allow' | 'ask' | 'deny';
}

export class ToolRuleDto {
  /** `rule_…` */
  id: string;
  tool: string;
  arguments: Record<string, string> | null;
  action: 'allow' | 'ask' | 'deny';
  /** Id of the principal who made it, or who approved a call for always. */
  createdBy: string;
  createdAt: Date;

  static from({ id, tool, arguments: patterns, action, createdBy, createdAt }: ToolRuleRecord): ToolRuleDto {
    return { id, tool, arguments: patterns ?? null, action, createdBy, createdAt };
  }
}

export class ToolRuleListDto {
  /** The newest first: it decides before the older ones. */
  items: ToolRuleDto[];
}
