import type { ObeliskError } from '../shared/errors.ts';

/** Whether new work is taken: written now and then by whoever watches the process, read by every request. */
export type Admission = {
  /** Why not; absent while all is well. Liveness, readiness and metrics are answered all the same. */
  readonly refusal?: ObeliskError | undefined;
};

/** Takes everything. */
export const OPEN_ADMISSION: Admission = {};
