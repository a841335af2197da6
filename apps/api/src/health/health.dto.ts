/** One thing the product depends on. Says neither where it is nor what is wrong with it: this route is open to all. */
export class HealthCheckDto {
  name: string;
  /** What stands behind it, such as `embedded` or `mongodb`. */
  kind: string;
  status: 'ok' | 'error';
  latencyMs: number;
}

/** How the product is. */
export class HealthDto {
  /** `degraded`: it works, but something that matters is amiss. */
  status: 'ok' | 'degraded' | 'error';
  version: string;
  checks: HealthCheckDto[];
}

/** Whether the process lives or takes work. */
export class ProbeDto {
  status: 'ok';
}
