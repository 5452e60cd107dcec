import { withoutControls } from './style.ts';

/** Writes a place in a note as `path#Heading (lines 3-9)`, with the innermost heading. */
export function toPlace(place: {
  readonly path: string;
  readonly headingPath: readonly string[];
  readonly startLine: number;
  readonly endLine: number;
}): string {
  const heading = place.headingPath.at(-1);
  const anchor = heading === undefined ? '' : `#${heading}`;
  const lines =
    place.startLine === place.endLine
      ? `line ${place.startLine}`
      : `lines ${place.startLine}-${place.endLine}`;
  return `${withoutControls(place.path + anchor)} (${lines})`;
}
