/** When a model is loaded ahead: a time of the local day, on some days of the week or on all. */
export type PreloadTime = {
  /** `HH:MM`. */
  readonly at: string;
  /** 0 is Sunday. */
  readonly days?: readonly number[] | undefined;
};

/** The first such time after a moment, by this machine's own clock and zone. */
export function nextTime({ at, days }: PreloadTime, after: Date): Date {
  const [hours = 0, minutes = 0] = at.split(':').map(Number);
  const next = new Date(after);
  // A week and a day: today's time may have passed, and only today may count.
  for (let ahead = 0; ahead <= 7; ahead += 1) {
    next.setTime(after.getTime());
    next.setDate(after.getDate() + ahead);
    next.setHours(hours, minutes, 0, 0);
    if (next > after && (days === undefined || days.includes(next.getDay()))) break;
  }
  return next;
}
