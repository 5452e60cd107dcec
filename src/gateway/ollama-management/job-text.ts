import type { Job } from '../../ollama/control-plane.ts';

/**
 * Creates what writes a job as an event. The engine gives every watcher the same object for one
 * change, and its text is made once for all of them.
 */
export function createJobText(): (job: Job) => string {
  const texts = new WeakMap<Job, string>();
  return (job) => {
    const known = texts.get(job);
    if (known !== undefined) return known;
    const text = `event: job\ndata: ${JSON.stringify(job)}\n\n`;
    texts.set(job, text);
    return text;
  };
}
