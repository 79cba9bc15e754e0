/** So much of what a client sent is enough to recognize it. */
const LONGEST = 200;

/** A value of JSON as `'%s' % value` gives it in Python, in whose words Neutron tells what is wrong. */
export function printValue(value: unknown): string {
  const text = typeof value === 'string' ? value : printLiteral(value);
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
}

/** `['a', 'b']` */
export function printTexts(texts: readonly string[]): string {
  return `[${texts.map((text) => printLiteral(printValue(text))).join(', ')}]`;
}

/** As Python's `repr` has it: `None`, `True`, `'text'`, `{'key': 1}`. What is nested deeper than is ever shown is left out. */
export function printLiteral(value: unknown, depth = 0): string {
  if (depth > LONGEST) return '…';
  if (value === null || value === undefined) return 'None';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (typeof value === 'string') return quote(value);
  const printInside = (item: unknown) => printLiteral(item, depth + 1);
  if (Array.isArray(value)) return `[${value.map(printInside).join(', ')}]`;
  if (typeof value !== 'object') return JSON.stringify(value);
  const entries = Object.entries(value).map(([key, item]) => `${quote(key)}: ${printInside(item)}`);
  return `{${entries.join(', ')}}`;
}

function quote(text: string): string {
  const mark = text.includes("'") && !text.includes('"') ? '"' : "'";
  const escaped = text.replaceAll('\\', '\\\\').replaceAll(mark, `\\${mark}`);
  return `${mark}${escaped}${mark}`;
}
