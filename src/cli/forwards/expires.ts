/** What `--expires` stands for, by the API's keys; a time is left to the API to read. */
export interface ExpiryFields {
  readonly expires_at?: string | null;
  readonly expires_in?: number;
}

const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };

/** Reads `never`, durations (`45s`, `30m`, `2h`, `7d`, `1h30m`), and takes anything else for a time. */
export function readExpires(text: string | undefined): ExpiryFields {
  if (text === undefined) return {};
  if (text === 'never') return { expires_at: null };
  if (!/^(?:\d{1,9}[smhd])+$/.test(text)) return { expires_at: text };
  const parts = text.matchAll(/(\d+)([smhd])/g);
  return { expires_in: parts.reduce((sum, [, count, unit = '']) => sum + Number(count) * (SECONDS[unit] ?? 0), 0) };
}
