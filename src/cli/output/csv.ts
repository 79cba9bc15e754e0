import { visible } from './text.ts';

/** Lines after RFC 4180, with the titles first; fields are quoted where they must be, and what steers a terminal is spelled out. */
export function formatCsv(titles: readonly string[], rows: readonly (readonly string[])[]): string {
  return [titles, ...rows].map((fields) => `${fields.map(quote).join(',')}\r\n`).join('');
}

function quote(text: string): string {
  const field = text.replaceAll(/[^\t\r\n]+/g, visible);
  return /[",\r\n]|^\s|\s$/.test(field) ? `"${field.replaceAll('"', '""')}"` : field;
}
