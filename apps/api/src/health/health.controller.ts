import type { Response } from 'express';
import { Controller, Get, Res } from '@nestjs/common';
import { ApiResponse, ApiTags } from '@nestjs/swagger';
import { Public } from '../auth/auth.decorators';
import { ApiProblem } from '../http/api-problem.decorator';
import { HealthDto, ProbeDto } from './health.dto';
import { HealthService } from './health.service';

@ApiTags('health')
@Public()
@Controller('health')
export class HealthController {
  constructor(private readonly health: HealthService) {}

  /** How the product and what it depends on are; 503 without the store. */
  @Get()
  @ApiResponse({ status: 503, type: HealthDto, description: 'The store cannot be reached.' })
  async report(@Res({ passthrough: true }) response: Response): Promise<HealthDto> {
    const report = await this.health.report();
    response.status(report.status === 'error' ? 503 : 200);
    return report;
  }

  /** Whether the process answers at all: restart it when not. */
  @Get('live')
  live(): ProbeDto {
    return { status: 'ok' };
  }

  /** Whether to send requests here: not while shutting down, not without the store. */
  @Get('ready')
  @ApiProblem(503)
  async ready(): Promise<ProbeDto> {
    await this.health.ready();
    return { status: 'ok' };
  }
}
