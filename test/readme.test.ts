import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const [ENGLISH, JAPANESE] = ['README.md', 'README.ja.md'].map((name) => ({
  text: readFileSync(join(import.meta.dirname, '..', name), 'utf8'),
}));

/** What stands in both languages alike. */
const PARTS: Readonly<Record<string, RegExp>> = {
  'what was typed and printed': /^```console\n(?:.*\n)*?```$/gm,
  'headings, by their depth': /^#+ /gm,
  'links to other documents': /\]\((?!README)[\w/.-]+/g,
  'rows of tables': /^\|/gm,
  'items of lists': /^- /gm,
  'commands of an installation': /^(?:cd|ln|install|systemd-sysusers|systemctl|scripts\/\S+)[^#\n]*/gm,
};

test.each(Object.entries(PARTS))('the READMEs have the same, in order: %s', (_what, pattern) => {
  const found = (text = '') => Array.from(text.matchAll(pattern), ([part]) => part);
  expect(found(ENGLISH?.text).length).toBeGreaterThan(4);
  expect(found(JAPANESE?.text)).toEqual(found(ENGLISH?.text));
});
