import { Injectable } from '@nestjs/common';

/** Whether this process takes new work. Once it drains it never does again. */
@Injectable()
export class Readiness {
  private draining = false;

  /** From here on `/health/ready` answers 503, so that load balancers turn away. */
  drain(): void {
    this.draining = true;
  }

  get isDraining(): boolean {
    return this.draining;
  }
}
