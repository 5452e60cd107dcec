/** Long enough that a citation of one part cannot be the whole note. */
const filler = (topic: string): string =>
  Array.from(
    { length: 14 },
    (_, index) => `Entry ${index} of the log describes ${topic} in the harbour, at some length.`,
  ).join(' ');

/** A note with a fact between long sections, an alias, a link and a block id. */
export const LIGHTHOUSE: string = `---
aliases: [Beacon]
---

# Lighthouse

${filler('weather and tides')}

## Keeper

The lighthouse keeper is called Amundsen, and he feeds the gulls at dawn. See [[Gulls]]. ^gulls

## Repairs

${filler('paint and stairs')}
`;

const PAYLOADS = [
  '<script>window.pwned = 1</script>',
  '<img src=x onerror="window.pwned = 1">',
  '<svg onload="window.pwned = 1"></svg>',
  '<iframe srcdoc="<script>parent.pwned = 1</script>"></iframe>',
  '<a href="javascript:window.pwned=1">raw link</a>',
  '[markdown link](javascript:window.pwned=1)',
  '[[javascript:window.pwned=1|wikilink]]',
  '![remote picture](http://127.0.0.1:9/steal.png?secret=1)',
  '![drawing](data:image/svg+xml,<svg onload="window.pwned=1"/>)',
  '<style>body { display: none }</style>',
  '<base href="http://127.0.0.1:9/">',
  '<form action="http://127.0.0.1:9/"><input name=x></form>',
];

/** A note that holds all of it, and a fact. */
export const ZEBRA: string = `# Zebra protocol

The zebra protocol was signed in Tromsø: ${PAYLOADS[0]} ${PAYLOADS[1]} and it is binding.

${PAYLOADS.join('\n\n')}
`;

const PIXEL =
  'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

/** A note with a picture inside and links to headings and blocks. */
export const MAP: string = `The compass rose is drawn here: ![rose|40x30](${PIXEL})

[[Sea/Lighthouse#Repairs]], [[#The bay]], [[Sea/Lighthouse#^gulls|feeder]]

${'Depths and shoals.\n\n'.repeat(80)}
# The bay

Calm.
`;
