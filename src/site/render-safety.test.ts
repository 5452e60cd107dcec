import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { renderAnswer } from './render-markdown.ts';
import { renderNote } from './render-note.ts';
import { assertSafe } from './strict-html.ts';

const ADDRESSES: readonly string[] = [
  ' javascript:alert(1)',
  '\tjavascript:alert(1)',
  'java\tscript:alert(1)',
  'java\nscript:alert(1)',
  '\u0001javascript:alert(1)',
  '\u00a0javascript:alert(1)',
  'javascript\u2028:alert(1)',
  'javascript:alert`1`//https://x',
  '\\\\evil.test\\x',
  '/\\evil.test',
  'https:/\\evil.test',
  ...`
javascript:alert(1)
JaVaScRiPt:alert(1)
java&Tab;script:alert(1)
java&NewLine;script:alert(1)
javascript&colon;alert(1)
javascript&#58;alert(1)
javascript&#x3A;alert(1)
&#106;avascript:alert(1)
&#x6A&#x61vascript:alert(1)
javascript%3Aalert(1)
%6Aavascript:alert(1)
&#1;javascript:alert(1)
javascript://%0aalert(1)
vbscript:msgbox(1)
data:text/html,<script>alert(1)</script>
data:text/html;base64,PHNjcmlwdD4=
data:image/svg+xml;base64,PHN2Zz4=
data:image/svg+xml,<svg onload=alert(1)>
data:image/png;base64,AA"onerror=alert(1)
data:image/gif;base64,R0lG
data:image/png,x
DATA:image/png;base64,AA==
file:///etc/passwd
blob:https://own.test/1
view-source:https://x.test
about:blank
filesystem:https://x/1
ws://x.test
//evil.test/x
https:evil.test
feed:javascript:alert(1)
jar:https://x!/
https://x.test/"onmouseover="alert(1)
https://x.test/'onmouseover='alert(1)
https://x.test/<script>alert(1)</script>
mailto:a@b.c?body="><script>
obsidian://open?vault="><img src=x>
http://[::1
x" onerror="alert(1)
../../../etc/passwd
`
    .trim()
    .split('\n'),
];
const ADDRESS_FORMS: readonly ((address: string) => string)[] = [
  (address) => `[a](${address})`,
  (address) => `[a](<${address}> "t")`,
  (address) => `[a][r] ![b][r]\n\n[r]: ${address}`,
  (address) => `[r]\n\n[r]: <${address}> 'title'`,
  (address) => `<${address}>`,
  (address) => address,
  (address) => `![a|100](${address})`,
  (address) => `![a](<${address}>)`,
  (address) => `[![a](${address})](${address})`,
  (address) => `[[${address}]] ![[${address}]]`,
  (address) => `[[x|${address}]] ![[pic.png|${address}]]`,
  (address) => `[[${address}#${address}|a]]`,
  (address) => `# [a](${address})`,
  (address) => `| [a](${address}) |\n| - |\n| [[${address}\\|a]] |`,
  (address) => `> [!note]- [a](${address})\n> [a](${address})`,
  (address) => `[^1]: [a](${address})\n\n[^1] ^[[a](${address})]`,
  (address) => `- [ ] [a](${address})`,
  (address) => `==[**a**](${address})==`,
];

const MARKUP: readonly string[] = [
  '`"><script>`',
  '\\<script\\>alert(1)\\</script\\>',
  '<scr\u0000ipt>alert(1)</scr\u0000ipt>',
  '<img src="x` `<script>alert(1)</script>"` `>',
  ...`
<script>alert(1)</script>
<ScRiPt src=//x.test></sCrIpT>
<script
</script>
<img src=x onerror=alert(1)>
<img src=x onerror=alert(1)//
<svg onload=alert(1)>
<svg/onload=alert(1)>
<svg><script>alert(1)</script></svg>
<svg><a xlink:href="javascript:alert(1)">x</a></svg>
<math><mi xlink:href="javascript:alert(1)">x</mi></math>
<iframe src="javascript:alert(1)"></iframe>
<iframe srcdoc="<script>alert(1)</script>">
<object data="javascript:alert(1)">
<embed src="javascript:alert(1)">
<a href="javascript:alert(1)">x</a>
<a href=javascript:alert(1)>x
<style>@import "//x.test";</style>
<div style="background:url(javascript:alert(1))">
<link rel=stylesheet href=//x.test>
<meta http-equiv=refresh content="0;url=javascript:alert(1)">
<base href="//x.test/">
<form action="javascript:alert(1)"><button>x</button></form>
<input onfocus=alert(1) autofocus>
<details open ontoggle=alert(1)>
<video><source onerror=alert(1)></video>
<body onload=alert(1)>
<template><script>alert(1)</script></template>
<noscript><p title="</noscript><img src=x onerror=alert(1)>">
<!--><script>alert(1)</script>-->
<!-- --!><script>alert(1)</script>
<!--
<![CDATA[<script>alert(1)</script>]]>
<?xml version="1.0"?><script>alert(1)</script>
<!DOCTYPE html><script>alert(1)</script>
<br onclick=alert(1)>
<br/onclick=alert(1)>
<p onclick="alert(1)">
"><img src=x onerror=alert(1)>
'><img src=x onerror=alert(1)>
" onmouseover="alert(1)
' onmouseover='alert(1)
&lt;script&gt;alert(1)&lt;/script&gt;
&#60;script&#62;alert(1)&#60;/script&#62;
<<script>script>alert(1)
<x-card onclick=alert(1)>
</p><script>alert(1)</script>
<title><script>alert(1)</script>
<textarea></textarea><script>alert(1)</script>
<plaintext>
<xmp><script>
{{constructor.constructor("alert(1)")()}}
`
    .trim()
    .split('\n'),
];
const MARKUP_FORMS: readonly ((markup: string) => string)[] = [
  (markup) => markup,
  (markup) => `text ${markup} text`,
  (markup) => `- ${markup}\n  - [x] ${markup}`,
  (markup) => `> ${markup}`,
  (markup) => `> [!note] ${markup}\n> ${markup}`,
  (markup) => `> [!${markup}]+ title`,
  (markup) => `# ${markup} ^id`,
  (markup) => `| ${markup} | b |\n| :-: | - |\n| ${markup} | ${markup} |`,
  (markup) => `\`\`\`${markup}\n${markup}\n\`\`\``,
  (markup) => `~~~js ${markup}\n${markup}\n~~~`,
  (markup) => `[[${markup}]] [[a|${markup}]] [[a#${markup}]] [[#^${markup}]]`,
  (markup) => `![[${markup}]] ![[pic.png|${markup}]]`,
  (markup) => `![${markup}](pic.png) ![${markup}](https://x.test/a.png)`,
  (markup) => `[${markup}](https://x.test "${markup}") [${markup}](a.md)`,
  (markup) => `#${markup} #tag${markup}`,
  (markup) => `[^${markup}] ^[${markup}]\n\n[^${markup}]: ${markup}`,
  (markup) => `$${markup}$ $$${markup}$$\n\n$$\n${markup}\n$$`,
  (markup) => `\`${markup}\` ==${markup}== **${markup}** ~~${markup}~~`,
  (markup) => `%%${markup}%%\n\n    ${markup}`,
  (markup) => `---\ntitle: '${markup.replaceAll("'", "''")}'\n---\n1. ${markup}`,
];

function renderHostile(text: string): string {
  return renderNote({
    text,
    path: 'folder/"><script>alert(1)</script>.md',
    // Names of files are the vault's author's to choose, too.
    resolved: {
      a: 'x/"><img src=x onerror=alert(1)>.md',
      'a.md': "x/' onclick='alert(1).md",
      'pic.png': 'x/" onerror="alert(1).png',
      'javascript:alert(1)': 'javascript:alert(1).png',
    },
    noteUrl: (path, anchor) => `/vault/${path}${anchor === undefined ? '' : `#${anchor}`}`,
    assetUrl: (path) => `/files/${path}`,
  }).html;
}

function crossed(payloads: readonly string[], forms: readonly ((payload: string) => string)[]): string[] {
  return payloads.flatMap((payload) => forms.map((form) => form(payload)));
}

for (const [what, corpus] of [
  ['addresses', crossed(ADDRESSES, ADDRESS_FORMS)],
  ['markup', crossed(MARKUP, MARKUP_FORMS)],
] as const) {
  test(`no hostile ${what} of a note or an answer reaches the page`, () => {
    assert.ok(corpus.length >= 150);
    for (const text of corpus) {
      for (const html of [renderHostile(text), renderAnswer(text)]) {
        try {
          assertSafe(html);
        } catch (error) {
          throw new Error(`${JSON.stringify(text)} became ${html}`, { cause: error });
        }
      }
    }
  });
}

test('no text at all becomes anything else than allowed elements', () => {
  const bits = fc.oneof(
    fc.constantFrom(
      ...ADDRESSES,
      ...MARKUP,
      '[',
      ']',
      '(',
      ')',
      '<',
      '>',
      '"',
      "'",
      '`',
      '[[',
      ']]',
      '|',
      '\n',
      '\n\n',
      '> ',
      '- ',
      '![',
      '#',
      '$',
      '==',
      '**',
      '[!note]',
      '%%',
      ' ',
    ),
    fc.string({ unit: 'binary', maxLength: 6 }),
  );
  fc.assert(
    fc.property(fc.array(bits, { maxLength: 25, size: 'max' }), (pieces) => {
      assertSafe(renderHostile(pieces.join('')));
    }),
    { numRuns: 300 },
  );
});

test('the check itself refuses what it must', () => {
  for (const html of [
    '<script>',
    '<p onclick="x">',
    '<a href="javascript:x">a</a>',
    '<a href="&amp;#106;" class="x">',
    '<p>',
    '</p>',
    '<p title=x>',
    'a > b',
    '&nbsp;',
    '<img src="https://x.test/a.png">',
    '<a href="https://x.test">a</a>',
    '<span id="location"></span>',
    '<input type="text">',
  ]) {
    assert.throws(() => assertSafe(html), html);
  }
});
