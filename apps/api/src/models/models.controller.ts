import { Controller, Get, Param } from '@nestjs/common';
import { ApiParam, ApiTags } from '@nestjs/swagger';
import { LlmRegistry } from '@scorpio/llm';
import { Scopes } from '../auth/auth.decorators';
import { ApiProblem } from '../http/api-problem.decorator';
import { ModelDto, ModelPageDto } from './model.dto';

@ApiTags('models')
@Controller('models')
@Scopes('models:read')
export class ModelsController {
  constructor(private readonly registry: LlmRegistry) {}

  /** List the models of all vendors and endpoints, with what is missing where one cannot be asked. */
  @Get()
  async list(): Promise<ModelPageDto> {
    return ModelPageDto.from(await this.registry.list(), this.registry.vendors());
  }

  /** One model. Its name may hold slashes. */
  @Get(':vendor/*model')
  @ApiParam({ name: 'vendor', type: String })
  @ApiParam({ name: 'model', type: String })
  @ApiProblem(404)
  async get(@Param('vendor') vendor: string, @Param('model') model: string[]): Promise<ModelDto> {
    return ModelDto.from(await this.registry.describe([vendor, ...model].join('/')));
  }
}
