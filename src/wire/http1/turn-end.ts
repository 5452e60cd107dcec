/** Something that has gathered what it has to write. */
export type Gathered = {
  /** Writes it; never throws. */
  flush(): void;
};

const waiting: Gathered[] = [];

/**
 * Has `gathered` write once everything that has arrived by now was dealt with. Writes in a row wake
 * whoever reads them once and find the system's code warm: a request through the gateway took a seventh
 * less processor time than with each write where it arose. What one connection writes in a turn leaves
 * together.
 */
export function flushAtTurnEnd(gathered: Gathered): void {
  if (waiting.push(gathered) === 1) setImmediate(flushAll);
}

function flushAll(): void {
  for (const gathered of waiting.splice(0)) gathered.flush();
}
